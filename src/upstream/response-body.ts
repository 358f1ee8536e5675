// The body of an answer as a Node stream. Owns back-pressure and the moment the connection is free again.
import { Readable } from 'node:stream';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { BodyDecoder, Framing } from '../http1/body.ts';
import { createBodyDecoder } from '../http1/body.ts';
import type { Connection } from './connection.ts';

/** Bytes asked for ahead of the reader. */
const READ_AHEAD_BYTES = 262_144;

export class ResponseBody extends Readable {
  readonly #connection: Connection;
  readonly #decoder: BodyDecoder;
  readonly #onFree: (connection: Connection) => void;
  #received = 0;
  #pulling = false;
  #finished = false;
  #failure: Error | null = null;

  /** @param onFree is called once, when the last byte was read and the connection is in order */
  constructor(connection: Connection, framing: Framing, onFree: (connection: Connection) => void) {
    super({ highWaterMark: READ_AHEAD_BYTES });
    this.#connection = connection;
    this.#decoder = createBodyDecoder(framing);
    this.#onFree = onFree;
    if (this.#decoder.mayEndHere && framing.kind !== 'until-close') {
      this.#finish();
    }
  }

  override _read(): void {
    if (!(this.#pulling || this.#finished)) {
      this.#pulling = true;
      this.#pull().then(
        () => (this.#pulling = false),
        (error: Error) => this.#fail(this.#explain(error)),
      );
    }
  }

  /** What arrived before a failure is read before the failure is told: destroying drops it. */
  override read(size?: number): Buffer | null {
    const piece = super.read(size) as Buffer | null;
    if (this.#failure !== null && this.readableLength === 0) {
      process.nextTick(() => this.destroy(this.#failure ?? undefined));
    }
    return piece;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.#finished) {
      this.#connection.destroy();
    }
    callback(error);
  }

  async #pull(): Promise<void> {
    let wanted = true;
    while (wanted && !this.#finished) {
      const packet = await this.#connection.readBulk();
      if (packet === null) {
        this.#endOfConnection();
        return;
      }
      const { data, done, rest } = this.#connection.decode(this.#decoder, packet);
      for (const piece of data) {
        this.#received += piece.length;
        wanted = this.push(piece);
      }
      if (done) {
        this.#connection.unread(rest);
        this.#finish();
      }
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    if (this.readableLength === 0) {
      this.destroy(error);
    }
  }

  #endOfConnection(): void {
    if (!this.#decoder.mayEndHere) {
      throw new SallyportError(
        'BODY_INCOMPLETE',
        `${this.#connection.peer.name} closed the connection in the middle of the body, after ${this.#received} bytes`,
        { hint: 'What has arrived is kept. Try again.' },
      );
    }
    this.#finished = true;
    this.push(null);
    this.#connection.destroy();
  }

  #finish(): void {
    this.#finished = true;
    this.push(null);
    this.#onFree(this.#connection);
  }

  /** A connection that breaks within a body cuts the body; the reader is told so, with the count. */
  #explain(error: Error): Error {
    if (isSallyportError(error) && error.code === 'CONNECTION_LOST') {
      return new SallyportError(
        'BODY_INCOMPLETE',
        `${error.message} in the middle of the body, after ${this.#received} bytes`,
        { cause: error, hint: 'What has arrived is kept. Try again.' },
      );
    }
    return error;
  }
}
