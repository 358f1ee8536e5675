// Collects the bytes of a head that arrives in any number of packets. Owns the end of the head and its
// limit; what the bytes mean is `head.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';

/** No server of the field sends more; Kerberos tokens of users in many groups reach about 48 KiB. */
export const MAX_HEAD_BYTES = 65_536;

const LF = 10;
const CR = 13;

/** A finished head and the bytes that came behind it. */
export interface CompleteHead {
  /** Start line, field lines and the empty line. */
  readonly head: Buffer;
  /** What followed in the same packet: body, or the first bytes of a tunnel. */
  readonly rest: Buffer;
}

/** Takes packets until the empty line; serves one head. */
export class HeadReader {
  #collected: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Where the start line begins, as far as is known: behind empty lines. */
  #first = 0;
  readonly #start: string;

  /** @param start what the first bytes must be, `HTTP/` for responses: garbage is then noticed at once */
  constructor(start = '') {
    this.#start = start;
  }

  /** True while not a single byte has arrived. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * @returns the head once the empty line has arrived, else `null`
   * @throws SallyportError HEAD_TOO_LARGE, RESPONSE_INVALID (does not begin as it must)
   */
  push(chunk: Buffer): CompleteHead | null {
    const from = this.#append(chunk);
    const bytes = this.#collected.subarray(0, this.#length);
    while (bytes[this.#first] === CR || bytes[this.#first] === LF) {
      this.#first += 1;
    }
    this.#checkStart(bytes);
    const end = findHeadEnd(bytes, Math.max(from, this.#first));
    if (end > MAX_HEAD_BYTES || (end === -1 && this.#length > MAX_HEAD_BYTES)) {
      throw new SallyportError('HEAD_TOO_LARGE');
    }
    return end === -1 ? null : { head: bytes.subarray(0, end), rest: bytes.subarray(end) };
  }

  /** Returns where the search for the end must go on: up to 3 bytes before the new ones. */
  #append(chunk: Buffer): number {
    const before = this.#length;
    if (before === 0) {
      this.#collected = chunk;
      this.#length = chunk.length;
      return 0;
    }
    this.#length += chunk.length;
    if (this.#length > this.#collected.length) {
      // Doubling: a head that drips byte by byte is not copied once a byte.
      const larger = Buffer.allocUnsafe(Math.max(1024, this.#length * 2));
      this.#collected.copy(larger, 0, 0, before);
      this.#collected = larger;
    }
    chunk.copy(this.#collected, before);
    return Math.max(0, before - 3);
  }

  #checkStart(bytes: Buffer): void {
    const found = bytes.toString('latin1', this.#first, this.#first + this.#start.length);
    if (!this.#start.startsWith(found)) {
      throw new SallyportError('RESPONSE_INVALID', 'The answer does not begin with HTTP/');
    }
  }
}

/** Index just behind the empty line, or -1. */
function findHeadEnd(bytes: Buffer, from: number): number {
  let lf = bytes.indexOf(LF, from);
  while (lf !== -1) {
    if (bytes[lf + 1] === LF) {
      return lf + 2;
    }
    if (bytes[lf + 1] === CR && bytes[lf + 2] === LF) {
      return lf + 3;
    }
    lf = bytes.indexOf(LF, lf + 1);
  }
  return -1;
}
