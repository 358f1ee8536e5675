// Where a body ends (RFC 9112 section 6) and the bytes within. Owns the choice of framing and the three
// decoders; holds no socket and buffers nothing but a chunk header.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { RequestHead, ResponseHead } from './head.ts';

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

/** A piece of decoded body. `rest` holds bytes behind the end of the body, when `done`. */
export interface Decoded {
  readonly data: readonly Buffer[];
  readonly done: boolean;
  readonly rest: Buffer;
}

/** Turns packets into body bytes. */
export interface BodyDecoder {
  /** @throws SallyportError RESPONSE_INVALID */
  decode(packet: Buffer): Decoded;
  /** Whether the end of the connection here is the end of the body, too. */
  readonly mayEndHere: boolean;
}

const NOTHING = Buffer.alloc(0);
const MAX_CHUNK_LINE_BYTES = 4096;
const MAX_TRAILER_BYTES = 65_536;

/**
 * The framing of a response body (RFC 9112 section 6.3).
 *
 * @param method of the request: HEAD has no body, and a 2xx to CONNECT has none whatever it announces
 * @throws SallyportError RESPONSE_INVALID when Content-Length is malformed or contradicts itself
 */
export function responseFraming(head: ResponseHead, method: string): Framing {
  const { status, headers } = head;
  const tunnel = method === 'CONNECT' && status >= 200 && status < 300;
  if (method === 'HEAD' || tunnel || status < 200 || status === 204 || status === 304) {
    return { kind: 'none' };
  }
  const codings = headers.tokens('transfer-encoding');
  if (codings.length > 0) {
    return codings.at(-1) === 'chunked' ? { kind: 'chunked' } : { kind: 'until-close' };
  }
  const lengths = new Set(headers.tokens('content-length'));
  const [length] = lengths;
  if (length === undefined) {
    return { kind: 'until-close' };
  }
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) {
    throw new SallyportError('RESPONSE_INVALID', 'Content-Length is malformed or ambiguous');
  }
  return { kind: 'length', length: Number(length) };
}

/**
 * The framing of a request body (RFC 9112 section 6.3): it is announced or there is none. Where lengths and codings
 * contradict each other, two readers would see two requests (smuggling): nobody gets to read it.
 *
 * @throws SallyportError RESPONSE_INVALID
 */
export function requestFraming({ method, headers }: RequestHead): Framing {
  const codings = headers.tokens('transfer-encoding');
  const lengths = headers.tokens('content-length');
  if (method === 'CONNECT' || (codings.length === 0 && lengths.length === 0)) {
    return { kind: 'none' };
  }
  if (codings.length === 1 && codings[0] === 'chunked' && lengths.length === 0) {
    return { kind: 'chunked' };
  }
  const [length = ''] = lengths;
  if (codings.length > 0 || lengths.length > 1 || !/^\d{1,15}$/.test(length)) {
    throw new SallyportError('RESPONSE_INVALID', 'The length of a request body is ambiguous');
  }
  return { kind: 'length', length: Number(length) };
}

/**
 * Whether the connection may carry another request behind this message (RFC 9112 section 9.3).
 *
 * @param peer who sent it: a proxy, or a client of one, may say so in `Proxy-Connection`
 */
export function isPersistent(
  head: Pick<ResponseHead, 'version' | 'headers'>,
  peer: 'proxy' | 'origin' | 'client',
): boolean {
  const options = head.headers.tokens('connection');
  if (peer !== 'origin') {
    options.push(...head.headers.tokens('proxy-connection'));
  }
  if (options.includes('close')) {
    return false;
  }
  return head.version === '1.1' || options.includes('keep-alive');
}

export function createBodyDecoder(framing: Framing): BodyDecoder {
  switch (framing.kind) {
    case 'none':
      return new LengthDecoder(0);
    case 'length':
      return new LengthDecoder(framing.length);
    case 'chunked':
      return new ChunkedDecoder();
    case 'until-close':
      return {
        mayEndHere: true,
        decode: (packet) => ({ data: [packet], done: false, rest: NOTHING }),
      };
  }
}

class LengthDecoder implements BodyDecoder {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get mayEndHere(): boolean {
    return this.#left === 0;
  }

  decode(packet: Buffer): Decoded {
    const data = packet.subarray(0, this.#left);
    this.#left -= data.length;
    return {
      data: data.length > 0 ? [data] : [],
      done: this.#left === 0,
      rest: packet.subarray(data.length),
    };
  }
}

type ChunkState = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

/** RFC 9112 section 7.1: chunk extensions and trailer fields are bounded, then ignored. */
class ChunkedDecoder implements BodyDecoder {
  #state: ChunkState = 'size';
  #line = '';
  #left = 0;
  #trailerBytes = 0;

  get mayEndHere(): boolean {
    return this.#state === 'done';
  }

  decode(packet: Buffer): Decoded {
    const data: Buffer[] = [];
    let rest = packet;
    while (rest.length > 0 && this.#state !== 'done') {
      if (this.#state === 'data') {
        const piece = rest.subarray(0, this.#left);
        data.push(piece);
        this.#left -= piece.length;
        rest = rest.subarray(piece.length);
        if (this.#left === 0) {
          this.#state = 'data-end';
        }
        continue;
      }
      const lineEnd = rest.indexOf(10);
      this.#line += rest.toString('latin1', 0, lineEnd === -1 ? rest.length : lineEnd + 1);
      rest = lineEnd === -1 ? NOTHING : rest.subarray(lineEnd + 1);
      if (this.#line.length > MAX_CHUNK_LINE_BYTES) {
        throw new SallyportError('RESPONSE_INVALID', 'A chunk header or trailer line is too long');
      }
      if (lineEnd !== -1) {
        this.#takeLine(this.#line.replace(/\r?\n$/, ''));
        this.#line = '';
      }
    }
    return { data, done: this.#state === 'done', rest };
  }

  #takeLine(line: string): void {
    if (this.#state === 'size') {
      const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) {
        throw new SallyportError('RESPONSE_INVALID', 'A chunk does not begin with its size');
      }
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
      return;
    }
    if (this.#state === 'data-end') {
      if (line !== '') {
        throw new SallyportError('RESPONSE_INVALID', 'A chunk is longer than its size');
      }
      this.#state = 'size';
      return;
    }
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) {
      throw new SallyportError('RESPONSE_INVALID', 'The trailer fields are too long');
    }
    if (line === '') {
      this.#state = 'done';
    }
  }
}
