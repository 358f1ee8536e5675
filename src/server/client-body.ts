// The body of a client's request, in step with its socket. Owns what is kept for a second sending, the word to go on
// (100 Continue), and whose fault it is when the body breaks off.
import { Readable } from 'node:stream';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { BodyDecoder, Framing } from '../http1/body.ts';
import { createBodyDecoder } from '../http1/body.ts';
import type { Connection } from '../upstream/connection.ts';

/** A body up to this size is read first, so that it can be sent again when a proxy asks for sign-on late. */
const MAX_BUFFERED_BYTES = 65_536;
/** How long such a body, or the rest of one nobody wants, may stand still. A long one may: whoever takes it has patience of its own. */
const SHORT_BODY_PATIENCE_MS = 60_000;

export class ClientBody {
  /** Why the client's side of it failed, if it did. */
  failure: Error | null = null;
  readonly #client: Connection;
  readonly #framing: Framing;
  readonly #decoder: BodyDecoder;
  #expects: boolean;
  #isDone: boolean;
  #reading: Promise<readonly Buffer[] | null> | null = null;

  constructor(client: Connection, framing: Framing, expects: boolean) {
    this.#client = client;
    this.#framing = framing;
    this.#decoder = createBodyDecoder(framing);
    this.#expects = expects;
    this.#isDone = this.#decoder.mayEndHere;
  }

  /** Whether the next request may follow once `drain` is through: the rest is short, and sure to come. */
  get isNearlyDone(): boolean {
    return this.#isDone || (this.#isShort && !this.#expects);
  }

  get isEmpty(): boolean {
    return this.#framing.kind === 'none';
  }

  /** `undefined` without a body; a small one whole, a large one as a stream that is read once. */
  async forUpstream(): Promise<Buffer | Readable | undefined> {
    if (this.#isDone) {
      return this.isEmpty ? undefined : Buffer.alloc(0);
    }
    return this.#isShort && !this.#expects ? await this.#whole() : this.#stream();
  }

  /** Reads what is left and forgets it. */
  async drain(): Promise<void> {
    this.#client.patienceMs = SHORT_BODY_PATIENCE_MS;
    while ((await this.#next()) !== null) {
      // Only its end is of interest.
    }
  }

  get #isShort(): boolean {
    return this.#framing.kind === 'length' && this.#framing.length <= MAX_BUFFERED_BYTES;
  }

  async #whole(): Promise<Buffer> {
    this.#client.patienceMs = SHORT_BODY_PATIENCE_MS;
    const pieces: Buffer[] = [];
    for (let more = await this.#next(); more !== null; more = await this.#next()) {
      pieces.push(...more);
    }
    return Buffer.concat(pieces);
  }

  #stream(): Readable {
    const next = () => this.#next();
    return new Readable({
      read() {
        next().then(
          (pieces) => {
            for (const piece of pieces ?? [null]) {
              this.push(piece);
            }
          },
          (error: Error) => this.destroy(error),
        );
      },
    });
  }

  /** The next bytes, or `null` at the end. Whoever asks while they are awaited gets the same ones. */
  #next(): Promise<readonly Buffer[] | null> {
    this.#reading ??= this.#read()
      .catch((error: Error) => {
        this.failure = error;
        throw error;
      })
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  async #read(): Promise<readonly Buffer[] | null> {
    if (this.#expects && !this.#isDone) {
      this.#expects = false;
      this.#client.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    }
    while (!this.#isDone) {
      const packet = await this.#client.read();
      if (packet === null) {
        throw new SallyportError('CONNECTION_LOST', 'The client closed within a request body');
      }
      const { data, done, rest } = this.#decoder.decode(packet);
      this.#isDone = done;
      if (done) {
        this.#client.unread(rest);
      }
      if (data.length > 0) {
        return data;
      }
    }
    return null;
  }
}
