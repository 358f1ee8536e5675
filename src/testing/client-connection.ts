// One client connection from its first request to its end: what each request's credentials lead to, and in which order.
// Owns the end of the connection; the way on is `onward.ts`, the bytes of answers are `answer-writer.ts`.
import type { Socket } from 'node:net';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { AnswerWriter } from './answer-writer.ts';
import { page, proxyAuthenticationRequired } from './answers.ts';
import type { Reservation } from './authenticators.ts';
import { readRequest } from './client-request.ts';
import { Onward } from './onward.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { Exchange } from './record.ts';
import type { Decision } from './sign-on.ts';
import { ConnectionSignOn, offersOf } from './sign-on.ts';
import { SocketReader } from './socket-io.ts';

const LINGER_MS = 1_000;

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
      this.#writer.log(exchange, null);
      reset(this.#socket);
      return false;
    }
    return decision.kind === 'pass'
      ? this.#onward.pass(exchange)
      : this.#askForCredentials(exchange);
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
    return this.#writer.page(exchange, answer, 'busy');
  }

  #askForCredentials(exchange: Exchange): Promise<boolean> {
    const { decision } = exchange;
    const { habits, policy } = this.#context;
    const offers =
      decision.header === null ? offersOf(policy, decision.isStale) : [decision.header];
    const refusal = decision.reason === 'no-credentials' ? 'first' : 'bare';
    const situation = decision.kind === 'challenge' ? 'token' : refusal;
    return this.#writer.page(exchange, proxyAuthenticationRequired(offers, situation, habits));
  }

  async #refuseGarbage(error: unknown): Promise<void> {
    if (isSallyportError(error) && error.code !== 'CONNECTION_LOST') {
      const { status, reason } =
        error.code === 'HEAD_TOO_LARGE'
          ? { status: 431, reason: 'Request Header Fields Too Large' }
          : { status: 400, reason: 'Bad Request' };
      const answer = page(status, reason, reason);
      await this.#writer.head(answer, { version: '1.1', keepsOpen: false }, answer.body);
      closeSoftly(this.#socket);
      return;
    }
    this.#socket.destroy();
  }
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
