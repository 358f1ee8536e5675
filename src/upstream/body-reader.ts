// The body of an answer, piece by piece as it is asked for. Owns its end, what is said of one that breaks off, and the moment
// the connection is free again.
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { BodyDecoder, Framing } from '../http1/body.ts';
import { createBodyDecoder } from '../http1/body.ts';
import type { Connection } from './connection.ts';

export interface BodyReaderInput {
  readonly connection: Connection;
  readonly framing: Framing;
  /** Ends it, and the connection with it. */
  readonly signal: AbortSignal;
  /** Is called once, when the last byte was read and the connection is in order. */
  onFree(connection: Connection): void;
}

export class BodyReader {
  readonly #connection: Connection;
  readonly #decoder: BodyDecoder;
  readonly #input: BodyReaderInput;
  readonly #abort = (): void => this.destroy(this.#input.signal.reason);
  #received = 0;
  #isOver = false;

  constructor(input: BodyReaderInput) {
    const { connection, framing, signal } = input;
    this.#connection = connection;
    this.#input = input;
    this.#decoder = createBodyDecoder(framing);
    signal.addEventListener('abort', this.#abort, { once: true });
    if (this.#decoder.mayEndHere && framing.kind !== 'until-close') {
      this.#end();
      input.onFree(connection);
    }
  }

  /** Whether its end was read, or it was given up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether `next` need not wait: it is over, or some of it came with the head. */
  get isAtHand(): boolean {
    return this.#isOver || !this.#connection.isIdle;
  }

  /**
   * The pieces that have come, at least one of them with a byte in it, or `null` at the end.
   *
   * @throws SallyportError BODY_INCOMPLETE, and those of `Connection.read`
   */
  async next(): Promise<readonly Buffer[] | null> {
    try {
      while (!this.#isOver) {
        const data = await this.#decoded();
        if (data.length > 0) {
          return data;
        }
      }
      return null;
    } catch (error) {
      this.destroy();
      throw this.#explain(error);
    }
  }

  /** Nobody wants the rest: the connection ends with it. */
  destroy(reason?: Error): void {
    if (this.#isOver) {
      return;
    }
    this.#end();
    if (reason === undefined) {
      this.#connection.destroy();
    } else {
      this.#connection.fail(reason);
    }
  }

  async #decoded(): Promise<readonly Buffer[]> {
    const packet = await this.#connection.readBulk();
    if (packet === null) {
      this.#endOfConnection();
      return [];
    }
    const { data, done, rest } = this.#connection.decode(this.#decoder, packet);
    for (const { length } of data) {
      this.#received += length;
    }
    if (done) {
      this.#connection.unread(rest);
      this.#end();
      this.#input.onFree(this.#connection);
    }
    return data;
  }

  /** A connection that breaks within a body cuts the body; the reader is told so, with the count. */
  #explain(error: unknown): unknown {
    return isSallyportError(error) && error.code === 'CONNECTION_LOST'
      ? new SallyportError(
          'BODY_INCOMPLETE',
          `${error.message} in the middle of the body, after ${this.#received} bytes`,
          { cause: error, hint: 'What has arrived is kept. Try again.' },
        )
      : error;
  }

  #endOfConnection(): void {
    this.#end();
    this.#connection.destroy();
    if (!this.#decoder.mayEndHere) {
      throw new SallyportError(
        'BODY_INCOMPLETE',
        `${this.#connection.peer.name} closed the connection in the middle of the body, after ${this.#received} bytes`,
        { hint: 'What has arrived is kept. Try again.' },
      );
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#input.signal.removeEventListener('abort', this.#abort);
  }
}
