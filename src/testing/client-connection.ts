// One client connection from its first request to its end: what each request's credentials lead to, and in which order.
// Owns the end of the connection; the way on is `onward.ts`, the bytes of answers are `answer-writer.ts`.
import type { Socket } from 'node:net';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { RefusalReason } from './acceptors/acceptor.ts';
import { AnswerWriter } from './answer-writer.ts';
import { page, portalPage, proxyAuthenticationRequired } from './answers.ts';
import type { Reservation } from './authenticators.ts';
import type { ClientRequest } from './client-request.ts';
import { readRequest } from './client-request.ts';
import { challengeLines, proxyOffers } from './offers.ts';
import { Onward } from './onward.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { Exchange } from './record.ts';
import type { Decision } from './sign-on.ts';
import { ConnectionSignOn } from './sign-on.ts';
import { ended, reset, SocketReader } from './socket-io.ts';

const LINGER_MS = 1_000;
const REASONS = { 400: 'Bad Request', 403: 'Forbidden', 503: 'Service Unavailable' } as const;

/** Serves one accepted socket. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #writer: AnswerWriter;
  readonly #onward: Onward;
  readonly #number: number;
  readonly #context: ProxyContext;
  readonly #signOn: ConnectionSignOn;
  /** Aborts when the connection has ended. */
  readonly #gone = new AbortController();
  /** Held from a challenge to what ends its handshake. */
  #authenticator: Reservation | null = null;
  #requests = 0;

  constructor(socket: Socket, number: number, context: ProxyContext) {
    this.#socket = socket;
    this.#reader = new SocketReader(socket);
    this.#writer = new AnswerWriter(socket, context);
    this.#onward = new Onward({ socket, reader: this.#reader, writer: this.#writer }, context);
    this.#number = number;
    this.#context = context;
    this.#signOn = new ConnectionSignOn(context.policy);
  }

  /** Serves requests until either side ends the connection. Never rejects. */
  async serve(): Promise<void> {
    this.#socket.once('close', () => {
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
    const request = await this.#nextRequest();
    if (request === null) {
      return false;
    }
    const { habits, record } = this.#context;
    record.requests += 1;
    this.#requests += 1;
    const decision = this.#signOn.decide(
      request.head.headers.all('proxy-authorization'),
      request.head,
    );
    record.countDecision(decision);
    const at = { connection: this.#number, request: this.#requests };
    const exchange = { request, decision, at };
    if (habits.shows('captive-portal')) {
      return this.#writer.page(exchange, portalPage(habits.parameters('captive-portal').status));
    }
    if (!(await this.#hasAuthenticator(decision))) {
      return this.#sayBusy(exchange);
    }
    const end = this.#endsAt(decision);
    if (end !== null) {
      return this.#endWithoutAnswer(exchange, end);
    }
    return decision.kind === 'pass' ? this.#pass(exchange) : this.#askForCredentials(exchange);
  }

  async #nextRequest(): Promise<ClientRequest | null> {
    const { habits } = this.#context;
    if (this.#requests === 0 || !habits.shows('closes-idle')) {
      return readRequest(this.#reader);
    }
    const { afterMs } = habits.parameters('closes-idle');
    const timer = setTimeout(() => closeSoftly(this.#socket), afterMs);
    return readRequest(this.#reader).finally(() => clearTimeout(timer));
  }

  /** How the connection ends at a leg, where a habit has it so. */
  #endsAt({ leg, scheme, reason }: Decision): 'reset' | 'silence' | null {
    const { habits } = this.#context;
    if (leg === 'first') {
      return ending(habits.shows('reset-after-first-leg'), habits.shows('silent-after-first-leg'));
    }
    if (leg === 'final' && scheme !== 'Basic') {
      return ending(habits.shows('reset-after-final-leg'), habits.shows('silent-after-final-leg'));
    }
    return ending(false, reason === 'no-credentials' && habits.shows('silent-to-request'));
  }

  async #endWithoutAnswer(exchange: Exchange, end: 'reset' | 'silence'): Promise<false> {
    this.#writer.log(exchange, null);
    if (end === 'reset') {
      reset(this.#socket);
    } else {
      await ended(this.#socket);
    }
    return false;
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
        ? proxyAuthenticationRequired(proxyOffers(policy, false, habits), 'bare', habits)
        : page(503, REASONS[503], 'All authenticators are busy');
    return this.#writer.page(exchange, answer, 'busy');
  }

  #askForCredentials(exchange: Exchange): Promise<boolean> {
    const { decision } = exchange;
    const { habits, policy } = this.#context;
    const offers =
      decision.header === null
        ? proxyOffers(policy, decision.isStale, habits)
        : challengeLines(decision.header, habits);
    const refusal = decision.reason === 'no-credentials' ? 'first' : 'bare';
    const situation = decision.kind === 'challenge' ? 'token' : refusal;
    return this.#writer.page(exchange, proxyAuthenticationRequired(offers, situation, habits));
  }

  #pass(exchange: Exchange): Promise<boolean> {
    const { habits, signedOn } = this.#context;
    const { leg, user } = exchange.decision;
    if (user !== null && habits.shows('connection-cap')) {
      const { connections, refusal } = habits.parameters('connection-cap');
      if (!signedOn.admit(user, this.#socket, connections)) {
        return this.#refuse(exchange, refusal, 'connection-cap');
      }
    }
    const isReuse = exchange.request.head.method === 'CONNECT' && leg === 'none' && user !== null;
    if (isReuse && habits.shows('refuses-reuse')) {
      return this.#refuse(exchange, habits.parameters('refuses-reuse').refusal, 'reused');
    }
    if (habits.shows('request-bound')) {
      this.#signOn.forget();
    }
    return this.#onward.pass(exchange);
  }

  async #refuse(
    exchange: Exchange,
    refusal: 'close' | keyof typeof REASONS,
    reason: RefusalReason,
  ): Promise<boolean> {
    if (refusal === 'close') {
      this.#context.record.write(exchange, { status: null, reason });
      return false;
    }
    const text = reason === 'reused' ? 'One connection, one tunnel' : 'Too many connections';
    return this.#writer.page(exchange, page(refusal, REASONS[refusal], text), reason);
  }

  async #refuseGarbage(error: unknown): Promise<void> {
    if (isSallyportError(error) && error.code !== 'CONNECTION_LOST') {
      const { status, reason } =
        error.code === 'HEAD_TOO_LARGE'
          ? { status: 431, reason: 'Request Header Fields Too Large' }
          : { status: 400, reason: REASONS[400] };
      const answer = page(status, reason, reason);
      await this.#writer.head(null, answer, { version: '1.1', keepsOpen: false }, answer.body);
      closeSoftly(this.#socket);
      return;
    }
    this.#socket.destroy();
  }
}

function ending(resets: boolean, isSilent: boolean): 'reset' | 'silence' | null {
  if (resets) {
    return 'reset';
  }
  return isSilent ? 'silence' : null;
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
