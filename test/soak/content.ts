// Whether a body is the one that was asked for. Owns the comparison, piece by piece: nothing is kept.
import { createHash } from 'node:crypto';
import { originBytes } from 'sallyport/testing';

/** Of the origin's pattern: byte i is i modulo 251. */
const PERIOD = 251;
const PATTERN = originBytes(PERIOD * 261);

/** @throws Error when a byte is wrong, missing or too many */
export async function expectBytes(body: AsyncIterable<unknown>, length: number): Promise<void> {
  let at = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    expectPattern(piece, at);
    at += piece.length;
  }
  if (at !== length) {
    throw new Error(`a body of ${at} bytes instead of ${length}`);
  }
}

/** @throws Error when the origin has not got exactly these bytes */
export async function expectDigest(answer: AsyncIterable<unknown>, sent: Buffer): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) {
    pieces.push(piece as Buffer);
  }
  const { sha256, length } = JSON.parse(Buffer.concat(pieces).toString());
  if (length !== sent.length || sha256 !== createHash('sha256').update(sent).digest('hex')) {
    throw new Error(`the origin got ${length} bytes instead of ${sent.length}, or other ones`);
  }
}

function expectPattern(piece: Buffer, offset: number): void {
  for (let at = 0; at < piece.length; ) {
    const shift = (offset + at) % PERIOD;
    const length = Math.min(piece.length - at, PATTERN.length - shift);
    if (!piece.subarray(at, at + length).equals(PATTERN.subarray(shift, shift + length))) {
      throw new Error(`wrong bytes between ${offset + at} and ${offset + at + length}`);
    }
    at += length;
  }
}
