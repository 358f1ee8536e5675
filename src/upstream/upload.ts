// The body of an outgoing request. Owns its length, whether it can be sent twice, and how it goes on the wire.
import { Readable } from 'node:stream';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { Connection } from './connection.ts';

/**
 * Bytes and text can be sent again when a proxy asks for sign-on late; so can a function that opens a
 * new stream each time. A stream is sent once.
 */
export type RequestBody = Uint8Array | string | Readable | (() => Readable);

export class Upload {
  /** In bytes; `null` means chunked. */
  readonly length: number | null;
  /** The whole of it, where it is not a stream. */
  readonly bytes: Uint8Array | null;
  readonly #open: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly #replayable: boolean;
  /** What can be sent once. */
  readonly #stream: Readable | null;
  #consumed = false;
  #failure: Error | null = null;

  /** @param declaredLength of a stream, from the caller's own Content-Length */
  constructor(body: RequestBody, declaredLength: number | null) {
    this.#stream = body instanceof Readable ? body : null;
    if (typeof body === 'function') {
      this.bytes = null;
      this.#open = body;
    } else if (body instanceof Readable) {
      this.bytes = null;
      // It may fail before anybody reads it, while the sign-on is still under way.
      body.once('error', (error) => {
        this.#failure = error;
      });
      body.on('error', () => undefined);
      this.#open = () => body;
    } else {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      this.bytes = bytes;
      this.#open = () => (bytes.length > 0 ? [bytes] : []);
      declaredLength = bytes.length;
    }
    this.#replayable = !(body instanceof Readable);
    this.length = declaredLength;
  }

  /** Nobody wants the rest: a stream that stands still is let go. */
  abandon(): void {
    this.#stream?.destroy();
  }

  /** Whether sending it (once more) would send all of it. */
  get canBeSent(): boolean {
    return this.#replayable || !this.#consumed;
  }

  /** True for a stream: worth asking the server first (`Expect: 100-continue`). */
  get isOneShot(): boolean {
    return !this.#replayable;
  }

  get headers(): HeaderField[] {
    return this.length === null
      ? [['Transfer-Encoding', 'chunked']]
      : [['Content-Length', String(this.length)]];
  }

  /**
   * Writes the whole body; stops early once the server has answered.
   *
   * @returns whether all of it went out
   * @throws SallyportError BODY_NOT_REPLAYABLE; OPTION_INVALID when a stream does not have its declared length
   */
  async send(connection: Connection, hasAnswer: () => boolean): Promise<boolean> {
    if (!this.canBeSent) {
      throw new SallyportError(
        'BODY_NOT_REPLAYABLE',
        `${connection.peer.name} asked for sign-on after the upload had begun, and a stream cannot be sent twice`,
        { hint: 'Give the body as bytes, or as a function that opens a new stream.' },
      );
    }
    this.#consumed = true;
    if (this.#failure !== null) {
      throw this.#failure;
    }
    let sent = 0;
    for await (const piece of this.#open()) {
      if (hasAnswer()) {
        return false;
      }
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      sent += bytes.length;
      this.#checkLength(sent, false);
      if (bytes.length > 0) {
        await connection.write(this.length === null ? chunk(bytes) : bytes, hasAnswer);
      }
    }
    this.#checkLength(sent, true);
    if (this.length === null) {
      await connection.write(Buffer.from('0\r\n\r\n'), hasAnswer);
    }
    return true;
  }

  #checkLength(sent: number, atEnd: boolean): void {
    if (this.length !== null && (sent > this.length || (atEnd && sent < this.length))) {
      throw new SallyportError(
        'OPTION_INVALID',
        `The upload has ${atEnd ? 'only ' : 'more than '}${atEnd ? sent : this.length} bytes; Content-Length says ${this.length}`,
      );
    }
  }
}

function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
}
