// One socket that carries HTTP/1.1 messages, one after the other. Owns reading and writing on it, patience and
// the leftover bytes; decides nothing about what a message means.
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { errorWord } from '../errors/error-word.ts';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { BodyDecoder, Decoded, Framing } from '../http1/body.ts';
import { createBodyDecoder } from '../http1/body.ts';
import type { ResponseHead } from '../http1/head.ts';
import { parseResponseHead } from '../http1/head.ts';
import { HeadReader } from '../http1/head-reader.ts';
import type { Layer } from '../observe/events.ts';

/** Who is at the other end, for messages and for the choice of error codes. */
export interface Peer {
  readonly role: Layer | 'client';
  /** `host:port` */
  readonly name: string;
}

/** What was signed on to this connection: it must never serve anybody else. */
export interface SignedOn {
  readonly scheme: string;
  readonly identity: string;
  /** The name the operating system told, for the signed-in user. */
  readonly principal: string | null;
}

const TRY_AGAIN = 'Try again. If it goes on, ask the people who run that host, or the network.';
const MAX_INTERIM_ANSWERS = 32;

interface Deadline {
  /** On the clock of `performance.now()`. */
  readonly at: number;
  /** What the other side did, when it passes. */
  readonly what: string;
}

const NEVER: Deadline = { at: Number.POSITIVE_INFINITY, what: '' };

export class Connection {
  readonly socket: Socket;
  readonly peer: Peer;
  /** Set once a connection-bound scheme has succeeded towards the proxy. */
  signedOn: SignedOn | null = null;
  /** The same towards the origin. */
  originSignedOn: SignedOn | null = null;
  /** True once an origin signs somebody on here: for this client alone, never pooled. */
  tied = false;
  /** Longest silence while somebody waits, in milliseconds; infinite for a client that rests. */
  patienceMs = 0;
  /** Longest time from the first byte of a head to its last, in milliseconds. */
  headMs = Number.POSITIVE_INFINITY;
  #deadline: Deadline = NEVER;
  #unread: Buffer | null = null;
  #silent = true;
  #wasHeard = false;
  #ended = false;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #onReadable = (): void => this.#wake();
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake();
  };
  readonly #onError = (cause: Error): void => {
    this.#failure ??= new SallyportError(
      'CONNECTION_LOST',
      `The connection to ${this.peer.name} broke (${errorWord(cause)})`,
      { cause, hint: this.#advice },
    );
    this.#wake();
  };

  constructor(socket: Socket, peer: Peer) {
    this.socket = socket;
    this.peer = peer;
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    socket.on('error', this.#onError);
  }

  /** True while no byte has come back since the last head was written. */
  get isSilent(): boolean {
    return this.#silent;
  }

  /** A limit for all that is read of a sign-on from now on, however it drips; `null` takes it away. */
  allow(durationMs: number | null, what = 'took too long over the sign-on'): void {
    this.#deadline = durationMs === null ? NEVER : { at: performance.now() + durationMs, what };
  }

  /** False once the other side has closed, or anything unasked has arrived: not fit for reuse. */
  get isIdle(): boolean {
    const clean = this.#unread === null && this.socket.readableLength === 0;
    return clean && !this.#ended && this.#failure === null && !this.socket.destroyed;
  }

  /**
   * Writes the head of a request; the next answer belongs to it. Empty lines left over from the last one do not count.
   *
   * @throws SallyportError PROXY_GARBLED, RESPONSE_INVALID: more has come than was asked for, and would be taken for the
   *   answer
   */
  writeHead(head: Buffer): void {
    if (this.#hasUnasked()) {
      throw this.#named(
        new SallyportError('RESPONSE_INVALID', 'Bytes that belong to no answer stand behind one'),
      );
    }
    this.#silent = true;
    this.socket.write(head);
  }

  /** Writes body bytes; waits while the other side does not take them, but not once it has answered. */
  async write(bytes: Uint8Array, hasAnswer: () => boolean): Promise<void> {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    // Of a socket that is gone no event will come; whoever reads the answer learns of the end.
    if (this.socket.write(bytes) || this.socket.destroyed) {
      this.#timer?.refresh();
      return;
    }
    await new Promise<void>((resolve) => {
      const poll = (): void => {
        if (hasAnswer()) {
          done();
        }
      };
      const done = (): void => {
        this.socket.off('drain', done);
        this.socket.off('close', done);
        this.socket.off('readable', later);
        this.#timer?.refresh();
        resolve();
      };
      // An answer is known a turn after its bytes are readable.
      const later = (): void => void setImmediate(poll);
      this.socket.once('drain', done);
      this.socket.once('close', done);
      this.socket.on('readable', later);
    });
  }

  /**
   * Reads the head of the final answer; interim answers (1xx) are passed over.
   *
   * @param onContinue is called when `100 Continue` arrives
   * @throws SallyportError CONNECTION_LOST, TIMEOUT, HEAD_TOO_LARGE, PROXY_GARBLED, RESPONSE_INVALID
   */
  async readHead(onContinue: () => void = () => undefined): Promise<ResponseHead> {
    for (let interim = 0; interim <= MAX_INTERIM_ANSWERS; interim += 1) {
      const head = await this.#readOneHead();
      if (head.status >= 200 || head.status === 101) {
        return head;
      }
      onContinue();
    }
    throw this.#named(new SallyportError('RESPONSE_INVALID', 'Interim answers without an end'));
  }

  /** The next bytes, or `null` at the end of the connection. */
  async read(): Promise<Buffer | null> {
    while (true) {
      const packet = this.#unread ?? (this.socket.read() as Buffer | null);
      this.#unread = null;
      if (packet !== null) {
        this.#silent = false;
        this.#wasHeard = true;
        return packet;
      }
      if (this.#failure !== null) {
        throw this.#failure;
      }
      if (this.#ended) {
        return null;
      }
      await this.#input();
    }
  }

  /**
   * As `read`, for bodies. TLS hands on each record by itself, of 8 kB or less: all that arrive in one turn of the event
   * loop are one piece, which spares the promises and events of each.
   */
  async readBulk(): Promise<Buffer | null> {
    if (this.isIdle && this.socket instanceof TLSSocket) {
      await this.#input();
      await turn();
    }
    return this.read();
  }

  /** Puts back what was read too far. */
  unread(bytes: Buffer): void {
    this.#unread = bytes.length > 0 ? bytes : null;
  }

  /**
   * Reads a body and drops it.
   *
   * @returns false when it does not end within the limit: the connection is of no more use
   */
  async drain(framing: Framing, limitBytes: number): Promise<boolean> {
    const decoder = createBodyDecoder(framing);
    if (decoder.mayEndHere) {
      return framing.kind !== 'until-close';
    }
    let total = 0;
    while (total <= limitBytes) {
      const packet = await this.read();
      if (packet === null) {
        return false;
      }
      total += packet.length;
      const { done, rest } = this.decode(decoder, packet);
      if (done) {
        this.unread(rest);
        return true;
      }
    }
    return false;
  }

  /** As the decoder, with this peer's name in its errors. */
  decode(decoder: BodyDecoder, packet: Buffer): Decoded {
    return this.#syntax(() => decoder.decode(packet));
  }

  /** Gives the bare socket away, with the bytes that were read too far. */
  detach(): { socket: Socket; head: Buffer } {
    this.socket.off('readable', this.#onReadable);
    this.socket.off('end', this.#onEnd);
    this.socket.off('close', this.#onEnd);
    this.socket.off('error', this.#onError);
    return { socket: this.socket, head: this.#unread ?? Buffer.alloc(0) };
  }

  /** Ends the connection; whoever waits on it gets the error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.socket.destroy();
    this.#wake();
  }

  destroy(): void {
    this.fail(
      new SallyportError('CONNECTION_LOST', `The connection to ${this.peer.name} was closed`),
    );
  }

  /** The certificate of the TLS peer in DER, or `null` on a plain connection. */
  get peerCertificate(): Uint8Array | null {
    return this.socket instanceof TLSSocket ? this.socket.getPeerCertificate().raw : null;
  }

  #hasUnasked(): boolean {
    if (this.#unread === null && this.socket.readableLength === 0) {
      return false;
    }
    const packet = (this.socket.read() as Buffer | null) ?? Buffer.alloc(0);
    const bytes = Buffer.concat([this.#unread ?? Buffer.alloc(0), packet]);
    this.#unread = null;
    return /[^\r\n]/.test(bytes.toString('latin1'));
  }

  async #readOneHead(): Promise<ResponseHead> {
    const limit = this.#deadline;
    try {
      return await this.#untilHeadEnds();
    } finally {
      this.#deadline = limit;
    }
  }

  async #untilHeadEnds(): Promise<ResponseHead> {
    const reader = new HeadReader('HTTP/');
    while (true) {
      const packet = await this.read();
      if (packet === null) {
        throw new SallyportError(
          'CONNECTION_LOST',
          reader.isEmpty
            ? `${this.peer.name} closed the connection without an answer`
            : `${this.peer.name} closed the connection in the middle of an answer`,
          { hint: this.#advice },
        );
      }
      if (reader.isEmpty) {
        const at = performance.now() + this.headMs;
        const own = { at, what: 'took too long over the head of its answer' };
        this.#deadline = at < this.#deadline.at ? own : this.#deadline;
      }
      const found = this.#syntax(() => reader.push(packet));
      if (found !== null) {
        this.unread(found.rest);
        return this.#syntax(() => parseResponseHead(found.head));
      }
    }
  }

  #syntax<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      throw isSallyportError(error) ? this.#named(error) : error;
    }
  }

  /** The parsers know no peer: says whose answer it was, and gives a garbled proxy its own code. */
  #named(error: SallyportError): SallyportError {
    const garbled = error.code === 'RESPONSE_INVALID' && this.peer.role === 'proxy';
    return new SallyportError(
      garbled ? 'PROXY_GARBLED' : error.code,
      `${this.peer.name} does not speak proper HTTP: ${error.message}`,
      {
        cause: error,
        hint: this.#syntaxHint(error),
      },
    );
  }

  #syntaxHint({ code }: SallyportError): string {
    if (code === 'HEAD_TOO_LARGE') {
      return `Tell the people who run ${this.peer.name}: no header field needs so much.`;
    }
    return this.peer.role === 'proxy'
      ? 'Check the address: is it an HTTP proxy, and does it want https:// rather than http://?'
      : 'Check the address: is it a web server?';
  }

  get #silence(): string {
    const seconds = `${this.patienceMs / 1000} s`;
    return this.#silent ? `sent no answer for ${seconds}` : `sent nothing more for ${seconds}`;
  }

  /** Once it has answered, the address is right. */
  get #advice(): string {
    if (this.#wasHeard) {
      return this.peer.role === 'proxy' && this.#silent
        ? 'The web server behind it may be what is silent: try another address.'
        : TRY_AGAIN;
    }
    return this.peer.role === 'proxy'
      ? 'Check its address and port: is an HTTP proxy there? If others get through, the web server behind it may be what is silent.'
      : 'Check its address and port: is a web server there, and does it want https:// or http://?';
  }

  async #input(): Promise<void> {
    const { at, what: late } = this.#deadline;
    const left = at === Number.POSITIVE_INFINITY ? at : Math.max(at - performance.now(), 0);
    const isDue = left < this.patienceMs;
    const waitMs = isDue ? left : this.patienceMs;
    if (waitMs !== Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => {
        const what = isDue ? late : this.#silence;
        this.fail(
          new SallyportError('TIMEOUT', `${this.peer.name} ${what}`, {
            hint: isDue ? TRY_AGAIN : this.#advice,
            waitedFor: isDue ? 'answer' : 'bytes',
          }),
        );
      }, waitMs);
    }
    await new Promise<void>((resolve) => (this.#wake = resolve));
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
