// One request of a client of the local proxy: its head, its target, and its body in step with the socket. Owns what is
// refused before anything is sent on; answers nothing.
import { Readable } from 'node:stream';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { BodyDecoder, Framing } from '../http1/body.ts';
import { createBodyDecoder, requestFraming } from '../http1/body.ts';
import type { RequestHead } from '../http1/head.ts';
import { parseRequestHead } from '../http1/head.ts';
import { HeadReader } from '../http1/head-reader.ts';
import type { Connection } from '../upstream/connection.ts';

/** A client that drips its head holds a connection of ours. */
const MAX_HEAD_MS = 30_000;
/** A keep-alive connection may rest as long as it likes: the client ends it, or goes away. */
const FOR_EVER_MS = 2_147_483_647;
/** A body up to this size is read first, so that it can be sent again when a proxy asks for sign-on late. */
const MAX_BUFFERED_BYTES = 65_536;

export interface ClientRequest {
  readonly head: RequestHead;
  readonly framing: Framing;
  readonly body: ClientBody;
}

/**
 * Reads the next request.
 *
 * @returns `null` when the client has ended the connection between requests
 * @throws SallyportError RESPONSE_INVALID, HEAD_TOO_LARGE, TIMEOUT, CONNECTION_LOST (within a head)
 */
export async function readClientRequest(client: Connection): Promise<ClientRequest | null> {
  const reader = new HeadReader();
  client.patienceMs = FOR_EVER_MS;
  client.allow(null);
  while (true) {
    const packet = await client.read();
    if (packet === null) {
      if (reader.isEmpty) {
        return null;
      }
      throw new SallyportError('CONNECTION_LOST', 'The client closed within a request head');
    }
    if (reader.isEmpty) {
      client.allow(MAX_HEAD_MS);
    }
    const found = reader.push(packet);
    if (found !== null) {
      client.allow(null);
      client.unread(found.rest);
      const head = parseRequestHead(found.head);
      const framing = requestFraming(head);
      return { head, framing, body: new ClientBody(client, framing, expectsContinue(head)) };
    }
  }
}

/** The body as it comes; a client that asks first is told to go on when somebody wants it. */
export class ClientBody {
  readonly #client: Connection;
  readonly #framing: Framing;
  readonly #decoder: BodyDecoder;
  #expects: boolean;
  #isDone: boolean;

  constructor(client: Connection, framing: Framing, expects: boolean) {
    this.#client = client;
    this.#framing = framing;
    this.#decoder = createBodyDecoder(framing);
    this.#expects = expects;
    this.#isDone = this.#decoder.mayEndHere;
  }

  /** Whether nothing of it is left on the connection. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the client may send it or not: nobody can tell where its next request is. */
  get isAmbiguous(): boolean {
    return this.#expects && !this.#isDone;
  }

  /** `undefined` without a body; a small one whole, a large one as a stream that is read once. */
  async forUpstream(): Promise<Buffer | Readable | undefined> {
    if (this.#isDone) {
      return this.#framing.kind === 'length' ? Buffer.alloc(0) : undefined;
    }
    const isSmall = this.#framing.kind === 'length' && this.#framing.length <= MAX_BUFFERED_BYTES;
    return isSmall && !this.#expects
      ? await this.#whole()
      : Readable.from(this.#pieces(), { objectMode: false });
  }

  async #whole(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.#pieces()) {
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** Reads what is left and forgets it. */
  async drain(): Promise<void> {
    for await (const _ of this.#pieces()) {
      // Only its end is of interest.
    }
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    if (this.isAmbiguous) {
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
      yield* data;
    }
  }
}

function expectsContinue({ headers }: RequestHead): boolean {
  return headers.tokens('expect').includes('100-continue');
}
