// One client connection from its first request to its end: sign-on, then tunnel or forwarding. Owns the order
// of things on the wire and where each habit shows.
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { HttpVersion, RequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { RefusalReason } from './acceptors/acceptor.ts';
import type { OwnAnswer } from './answers.ts';
import { formatAnswerHead, page, proxyAuthenticationRequired, splitAtToken } from './answers.ts';
import type { Authenticators, Reservation } from './authenticators.ts';
import { readRequest } from './client-request.ts';
import { relayBody, relayedHeaders, sendToOrigin } from './forward.ts';
import type { Habits } from './habits.ts';
import type { Exchange, ProxyRecord } from './record.ts';
import type { Decision, SignOnPolicy } from './sign-on.ts';
import { ConnectionSignOn, offersOf } from './sign-on.ts';
import { SocketReader, writeTo } from './socket-io.ts';
import { connectTo, firstBytes, parseAuthority, relay } from './tunnel.ts';

/** What all connections of one proxy share. */
export interface ProxyContext {
  readonly policy: SignOnPolicy;
  readonly habits: Habits;
  readonly authenticators: Authenticators;
  readonly record: ProxyRecord;
  readonly blocked: (target: string, user: string | null) => boolean;
  /** Whether a URL leads back to this proxy. */
  readonly isSelf: (url: URL) => boolean;
}

const LINGER_MS = 1_000;
const EARLY_BYTES_WAIT_MS = 250;
const PACKET_GAP_MS = 5;

/** Serves one accepted socket. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #number: number;
  readonly #context: ProxyContext;
  readonly #signOn: ConnectionSignOn;
  /** One origin connection per host at most: what an origin's NTLM signs on stays with this client. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** Aborts when the connection has ended. */
  readonly #gone = new AbortController();
  /** Held from a challenge to what ends its handshake. */
  #authenticator: Reservation | null = null;
  #requests = 0;

  constructor(socket: Socket, number: number, context: ProxyContext) {
    this.#socket = socket;
    this.#reader = new SocketReader(socket);
    this.#number = number;
    this.#context = context;
    this.#signOn = new ConnectionSignOn(context.policy);
  }

  /** Serves requests until either side ends the connection. Never rejects. */
  async serve(): Promise<void> {
    this.#socket.once('close', () => {
      this.#agent.destroy();
      this.#gone.abort();
      this.#authenticator?.release();
    });
    try {
      while (await this.#serveOne()) {
        // Each turn is one request.
      }
      closeSoftly(this.#socket);
    } catch (error) {
      await this.#refuseGarbage(error);
    }
  }

  /** Returns whether the connection goes on. */
  async #serveOne(): Promise<boolean> {
    const request = await readRequest(this.#reader);
    if (request === null) {
      return false;
    }
    const { record } = this.#context;
    record.requests += 1;
    this.#requests += 1;
    const decision = this.#signOn.decide(
      request.head.headers.all('proxy-authorization'),
      request.head,
    );
    record.countDecision(decision);
    const at = { connection: this.#number, request: this.#requests };
    const exchange = { request, decision, at };
    if (!(await this.#hasAuthenticator(decision))) {
      return this.#sayBusy(exchange);
    }
    if (this.#resetsAt(decision)) {
      this.#log(exchange, null);
      reset(this.#socket);
      return false;
    }
    return decision.kind === 'pass' ? this.#pass(exchange) : this.#askForCredentials(exchange);
  }

  #resetsAt({ leg, scheme }: Decision): boolean {
    const { habits } = this.#context;
    return (
      (leg === 'first' && habits.shows('reset-after-first-leg')) ||
      (leg === 'final' && scheme !== 'Basic' && habits.shows('reset-after-final-leg'))
    );
  }

  /** Where authenticators are few, a challenge needs one, and keeps it until the next request. */
  async #hasAuthenticator({ kind, leg }: Decision): Promise<boolean> {
    const { authenticators, habits } = this.#context;
    if (leg !== 'middle') {
      this.#authenticator?.release();
      this.#authenticator = null;
    }
    if (kind !== 'challenge' || leg !== 'first' || !habits.shows('few-authenticators')) {
      return true;
    }
    const { waitMs } = habits.parameters('few-authenticators');
    this.#authenticator = await authenticators.reserve({ waitMs, gone: this.#gone.signal });
    if (this.#socket.destroyed) {
      this.#authenticator?.release();
    }
    return this.#authenticator !== null;
  }

  #sayBusy(exchange: Exchange): Promise<boolean> {
    const { habits, policy } = this.#context;
    const { status } = habits.parameters('few-authenticators');
    this.#signOn.forget();
    const answer =
      status === 407
        ? proxyAuthenticationRequired(offersOf(policy, false), 'bare', habits)
        : page(503, 'Service Unavailable', 'All authenticators are busy');
    return this.#answer(exchange, answer, 'busy');
  }

  #askForCredentials(exchange: Exchange): Promise<boolean> {
    const { decision } = exchange;
    const { habits, policy } = this.#context;
    const offers =
      decision.header === null ? offersOf(policy, decision.isStale) : [decision.header];
    const refusal = decision.reason === 'no-credentials' ? 'first' : 'bare';
    const situation = decision.kind === 'challenge' ? 'token' : refusal;
    return this.#answer(exchange, proxyAuthenticationRequired(offers, situation, habits));
  }

  #pass(exchange: Exchange): Promise<boolean> {
    const { head } = exchange.request;
    const { blocked, habits, policy } = this.#context;
    if (blocked(head.target, exchange.decision.user)) {
      const answer = habits.shows('407-for-blocked')
        ? proxyAuthenticationRequired(offersOf(policy, false), 'bare', habits)
        : page(403, 'Forbidden', 'Blocked by policy');
      return this.#answer(exchange, answer, 'blocked');
    }
    return head.method === 'CONNECT' ? this.#tunnel(exchange) : this.#forward(exchange);
  }

  async #tunnel(exchange: Exchange): Promise<boolean> {
    const { habits, record } = this.#context;
    const authority = parseAuthority(exchange.request.head.target);
    if (authority === null) {
      return this.#answer(exchange, page(400, 'Bad Request', 'CONNECT wants host:port'));
    }
    const origin = await connectTo(authority, this.#socket);
    if (origin === null) {
      return this.#answer(exchange, page(502, 'Bad Gateway', 'The origin cannot be reached'));
    }
    record.tunnels += 1;
    this.#log(exchange, 200);
    const early = habits.shows('early-bytes')
      ? await firstBytes(origin, EARLY_BYTES_WAIT_MS)
      : null;
    const established = {
      status: 200,
      reason: 'Connection established',
      headers: proofOf(exchange.decision),
    };
    const head = formatAnswerHead(established, {
      version: this.#answerVersion(),
      keepsOpen: true,
    });
    await this.#sendHead(head, early);
    const sentAhead = this.#reader.takePushedBack();
    if (sentAhead !== null) {
      origin.write(sentAhead);
    }
    await relay(this.#socket, origin);
    return false;
  }

  async #forward(exchange: Exchange): Promise<boolean> {
    const { request, decision } = exchange;
    const { isSelf, record } = this.#context;
    const url = parseTarget(request.head.target);
    if (url === null) {
      return this.#answer(exchange, page(400, 'Bad Request', 'Only http URLs can be forwarded'));
    }
    if (url === 'self' || isSelf(url)) {
      return this.#answer(exchange, page(200, 'OK', 'Corporate proxy'));
    }
    const { response, uploaded } = await sendToOrigin(request, url, {
      client: this.#socket,
      agent: this.#agent,
    });
    if (response === null) {
      await uploaded;
      return this.#answer(exchange, page(502, 'Bad Gateway', 'The origin cannot be reached'));
    }
    const version = this.#answerVersion();
    const { fields, framing } = relayedHeaders(response, {
      method: request.head.method,
      version: request.head.version === '1.0' ? '1.0' : version,
    });
    const keepsOpen = framing !== 'until-close' && isPersistent(request.head);
    const status = response.statusCode ?? 502;
    const head = {
      status,
      reason: response.statusMessage ?? '',
      headers: [...proofOf(decision), ...fields],
    };
    record.forwarded += 1;
    this.#log(exchange, status);
    await this.#sendHead(formatAnswerHead(head, { version, keepsOpen }), null);
    if (!(await relayBody(response, this.#socket, framing === 'chunked'))) {
      this.#socket.destroy();
      return false;
    }
    await uploaded;
    return keepsOpen;
  }

  /** Sends an answer of the proxy itself, then reads what is left of the request. */
  async #answer(exchange: Exchange, answer: OwnAnswer, reason?: RefusalReason): Promise<boolean> {
    const { request, decision } = exchange;
    const { head, body } = request;
    // A client that waits for 100 may send its body or not: nobody could tell where the next request is.
    const isAmbiguous = !body.isDone && head.headers.tokens('expect').includes('100-continue');
    const keepsOpen = !answer.closes && !isAmbiguous && isPersistent(head);
    const proof = decision.kind === 'pass' ? proofOf(decision) : [];
    const headers = [...proof, ...answer.headers];
    const headBytes = formatAnswerHead(
      { ...answer, headers },
      { version: this.#answerVersion(), keepsOpen },
    );
    this.#log(exchange, answer.status, reason);
    await this.#sendHead(headBytes, head.method === 'HEAD' ? null : answer.body);
    if (keepsOpen) {
      await body.drain();
    }
    return keepsOpen;
  }

  #answerVersion(): HttpVersion {
    return this.#context.habits.shows('http-1.0') ? '1.0' : '1.1';
  }

  /** @param behind goes out in one packet with the head, as far as it fits */
  async #sendHead(head: Buffer, behind: Buffer | null): Promise<void> {
    const packets = this.#context.habits.shows('split-token') ? splitAtToken(head) : [head];
    const last = packets.pop() ?? head;
    for (const packet of packets) {
      await writeTo(this.#socket, packet);
      await delay(PACKET_GAP_MS);
    }
    await writeTo(this.#socket, behind === null ? last : Buffer.concat([last, behind]));
  }

  #log(exchange: Exchange, status: number | null, reason?: RefusalReason): void {
    this.#context.record.write(exchange, reason ? { status, reason } : { status });
  }

  async #refuseGarbage(error: unknown): Promise<void> {
    if (isSallyportError(error) && error.code !== 'CONNECTION_LOST') {
      const { status, reason } =
        error.code === 'HEAD_TOO_LARGE'
          ? { status: 431, reason: 'Request Header Fields Too Large' }
          : { status: 400, reason: 'Bad Request' };
      const answer = page(status, reason, reason);
      await this.#sendHead(
        formatAnswerHead(answer, { version: '1.1', keepsOpen: false }),
        answer.body,
      );
      closeSoftly(this.#socket);
      return;
    }
    this.#socket.destroy();
  }
}

/** A last token for the client, which goes with whatever answer the request gets. */
function proofOf({ header, info }: Decision): HeaderField[] {
  return [
    ...(header === null ? [] : [['Proxy-Authenticate', header] as const]),
    ...(info === null ? [] : [['Proxy-Authentication-Info', info] as const]),
  ];
}

/** `self`: origin-form, a request to the proxy itself. `null`: nothing this proxy forwards. */
function parseTarget(target: string): URL | 'self' | null {
  if (target.startsWith('/')) {
    return 'self';
  }
  return /^http:\/\//i.test(target) && URL.canParse(target) ? new URL(target) : null;
}

function isPersistent({ version, headers }: RequestHead): boolean {
  const options = [...headers.tokens('connection'), ...headers.tokens('proxy-connection')];
  return !options.includes('close') && (version === '1.1' || options.includes('keep-alive'));
}

/** Ends our side and waits for the other: a close with unread bytes would reset what is on its way. */
function closeSoftly(socket: Socket): void {
  if (socket.destroyed) {
    return;
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end();
  socket.resume();
}

/** RST, as far as the socket can: TLS has only an abrupt end. */
function reset(socket: Socket): void {
  if ('encrypted' in socket) {
    socket.destroy();
  } else {
    socket.resetAndDestroy();
  }
}
