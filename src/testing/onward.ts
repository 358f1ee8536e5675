// The way on for a request that was let pass: a tunnel, a forwarded request, or a page that says why neither. Owns the
// choice; bytes between the two sides are `tunnel.ts` and `forward.ts`.
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { AnswerWriter } from './answer-writer.ts';
import { isPersistent, proofOf } from './answer-writer.ts';
import { page, portalPage, proxyAuthenticationRequired } from './answers.ts';
import { relayBody, relayedHeaders, sendToOrigin } from './forward.ts';
import { proxyOffers } from './offers.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { Exchange } from './record.ts';
import type { SocketReader } from './socket-io.ts';
import { connectTo, firstBytes, parseAuthority, relay } from './tunnel.ts';

const EARLY_BYTES_WAIT_MS = 250;

/** The connection the request came on. */
export interface ClientSide {
  readonly socket: Socket;
  readonly reader: SocketReader;
  readonly writer: AnswerWriter;
}

export class Onward {
  readonly #client: ClientSide;
  readonly #context: ProxyContext;
  /** One origin connection per host at most: what an origin's NTLM signs on stays with this client. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(client: ClientSide, context: ProxyContext) {
    this.#client = client;
    this.#context = context;
    client.socket.once('close', () => this.#agent.destroy());
  }

  /** @returns whether the connection goes on */
  async pass(exchange: Exchange): Promise<boolean> {
    const { head } = exchange.request;
    const { blocked, habits, policy } = this.#context;
    if (blocked(head.target, exchange.decision.user)) {
      const answer = habits.shows('407-for-blocked')
        ? proxyAuthenticationRequired(proxyOffers(policy, false, habits), 'bare', habits)
        : page(403, 'Forbidden', 'Blocked by policy');
      return this.#client.writer.page(exchange, answer, 'blocked');
    }
    if (head.method !== 'CONNECT') {
      return this.#forward(exchange);
    }
    if (habits.shows('redirects-connect')) {
      return this.#client.writer.page(exchange, portalPage(302));
    }
    return this.#tunnel(exchange);
  }

  async #tunnel(exchange: Exchange): Promise<boolean> {
    const { socket, reader, writer } = this.#client;
    const { habits, record } = this.#context;
    const authority = parseAuthority(exchange.request.head.target);
    if (authority === null) {
      return writer.page(exchange, page(400, 'Bad Request', 'CONNECT wants host:port'));
    }
    const origin = await connectTo(authority, socket);
    if (origin === null) {
      return writer.page(exchange, page(502, 'Bad Gateway', 'The origin cannot be reached'));
    }
    record.tunnels += 1;
    writer.log(exchange, 200);
    const early = habits.shows('early-bytes')
      ? await firstBytes(origin, EARLY_BYTES_WAIT_MS)
      : null;
    const established = {
      status: 200,
      reason: 'Connection established',
      headers: proofOf(exchange.decision),
    };
    const connection = { version: writer.version(), keepsOpen: true };
    if (!(await writer.head(exchange, established, connection, early))) {
      origin.destroy();
      return false;
    }
    const sentAhead = reader.takePushedBack();
    if (sentAhead !== null) {
      origin.write(sentAhead);
    }
    await relay(socket, origin);
    return false;
  }

  async #forward(exchange: Exchange): Promise<boolean> {
    const { request, decision } = exchange;
    const { socket, writer } = this.#client;
    const { habits, isSelf, record } = this.#context;
    const url = parseTarget(request.head.target);
    if (url === null) {
      return writer.page(exchange, page(400, 'Bad Request', 'Only http URLs can be forwarded'));
    }
    if (url === 'self' || isSelf(url)) {
      return writer.page(exchange, page(200, 'OK', 'Corporate proxy'));
    }
    const { response, uploaded } = await sendToOrigin(request, url, {
      client: socket,
      agent: this.#agent,
    });
    if (response === null) {
      await uploaded;
      return writer.page(exchange, page(502, 'Bad Gateway', 'The origin cannot be reached'));
    }
    const version = writer.version();
    const { fields, framing } = relayedHeaders(response, {
      method: request.head.method,
      version: request.head.version === '1.0' ? '1.0' : version,
      passes407: response.statusCode === 407 && habits.shows('passes-407'),
    });
    const keepsOpen = framing !== 'until-close' && isPersistent(request.head);
    const status = response.statusCode ?? 502;
    const reason = response.statusMessage ?? '';
    record.forwarded += 1;
    writer.log(exchange, status);
    const headers = [...proofOf(decision), ...fields];
    const connection = { version, keepsOpen };
    const isWhole =
      (await writer.head(exchange, { status, reason, headers }, connection, null)) &&
      (await relayBody(response, socket, framing === 'chunked'));
    if (!isWhole) {
      socket.destroy();
      return false;
    }
    await uploaded;
    return keepsOpen;
  }
}

/** `self`: origin-form, a request to the proxy itself. `null`: nothing this proxy forwards. */
function parseTarget(target: string): URL | 'self' | null {
  if (target.startsWith('/')) {
    return 'self';
  }
  return /^http:\/\//i.test(target) && URL.canParse(target) ? new URL(target) : null;
}
