// One request on a client connection: its head, and its body as a stream in step with the socket.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { BodyDecoder, Framing } from '../http1/body.ts';
import { createBodyDecoder, requestFraming } from '../http1/body.ts';
import type { RequestHead } from '../http1/head.ts';
import { parseRequestHead } from '../http1/head.ts';
import { HeadReader } from '../http1/head-reader.ts';
import type { SocketReader } from './socket-io.ts';

export interface ClientRequest {
  readonly head: RequestHead;
  readonly body: RequestBody;
}

/**
 * Reads the next request.
 *
 * @returns `null` when the client ended the connection between requests
 * @throws SallyportError RESPONSE_INVALID, HEAD_TOO_LARGE, CONNECTION_LOST (within a head)
 */
export async function readRequest(reader: SocketReader): Promise<ClientRequest | null> {
  const headReader = new HeadReader();
  for (;;) {
    const packet = await reader.read();
    if (packet === null) {
      if (headReader.isEmpty) {
        return null;
      }
      throw new SallyportError('CONNECTION_LOST', 'The client closed within a request head');
    }
    const complete = headReader.push(packet);
    if (complete !== null) {
      reader.unread(complete.rest);
      const head = parseRequestHead(complete.head);
      return { head, body: new RequestBody(reader, requestFraming(head)) };
    }
  }
}

/** A request body. Whoever does not pass it on drains it before the next request is read. */
export class RequestBody {
  readonly framing: Framing;
  /** Body bytes read so far, without chunk headers. */
  bytes = 0;
  readonly #reader: SocketReader;
  readonly #decoder: BodyDecoder;
  #done: boolean;

  constructor(reader: SocketReader, framing: Framing) {
    this.framing = framing;
    this.#reader = reader;
    this.#decoder = createBodyDecoder(framing);
    this.#done = this.#decoder.mayEndHere;
  }

  get isDone(): boolean {
    return this.#done;
  }

  /** @throws SallyportError RESPONSE_INVALID, CONNECTION_LOST */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (!this.#done) {
      const packet = await this.#reader.read();
      if (packet === null) {
        throw new SallyportError('CONNECTION_LOST', 'The client closed within a request body');
      }
      const { data, done, rest } = this.#decoder.decode(packet);
      this.#done = done;
      this.#reader.unread(rest);
      for (const piece of data) {
        this.bytes += piece.length;
        yield piece;
      }
    }
  }

  /** Reads what is left and forgets it. */
  async drain(): Promise<void> {
    for await (const _ of this) {
      // Only the end of the body is of interest.
    }
  }
}
