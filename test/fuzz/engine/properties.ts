// What targets ask of a parser again and again: the errors it may throw, the size of what it makes, the same result from
// any packets. Owns these questions; each fails with an AssertionError.
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../../src/errors/codes.ts';
import { isSallyportError } from '../../../src/errors/sallyport-error.ts';
import { Random } from './random.ts';

/** What a parser makes of an input, or the code it refuses it with. */
export type Outcome<T> = { readonly value: T } | { readonly refused: ErrorCode };

/** Runs a parser. A SallyportError of these codes is an outcome; anything else it throws is a fault. */
export function outcomeOf<T>(codes: readonly ErrorCode[], parse: () => T): Outcome<T> {
  try {
    return { value: parse() };
  } catch (error) {
    if (isSallyportError(error) && codes.includes(error.code)) {
      return { refused: error.code };
    }
    throw error;
  }
}

/** The same where a refusal is of no further interest. */
export function acceptedBy<T>(codes: readonly ErrorCode[], parse: () => T): T | undefined {
  const outcome = outcomeOf(codes, parse);
  return 'value' in outcome ? outcome.value : undefined;
}

export interface Bounds {
  /** Levels of objects within objects. */
  readonly depth: number;
  /** Members of all lists, maps and objects. */
  readonly items: number;
  /** Characters and bytes of all texts and buffers. */
  readonly size: number;
}

/** Fails for a value that is deeper, has more members or is larger. */
export function assertBounded(value: unknown, bounds: Bounds): void {
  const found = measure(value, 0);
  for (const name of ['depth', 'items', 'size'] as const) {
    assert.ok(
      found[name] <= bounds[name],
      `${name} of the result is ${found[name]}, more than ${bounds[name]}`,
    );
  }
}

/**
 * Fails unless a reader makes the same of bytes however they are cut: in one piece, byte by byte, and at random places.
 *
 * @param read gets the pieces; what it returns is compared
 */
export function assertSameFromAnyPackets(bytes: Buffer, read: (pieces: Buffer[]) => unknown): void {
  const whole = read([bytes]);
  for (const pieces of cuts(bytes)) {
    assert.deepEqual(read(pieces), whole, `cut into ${pieces.length} pieces`);
  }
}

function* cuts(bytes: Buffer): Generator<Buffer[]> {
  // The bytes themselves are the seed: an input fails always or never.
  const random = new Random(bytes.reduce((sum, byte) => Math.imul(sum, 31) + byte, bytes.length));
  yield cut(bytes, () => random.between(1, Math.max(1, Math.ceil(bytes.length / 2))));
  yield cut(bytes, () => random.between(1, Math.max(1, Math.ceil(bytes.length / 16))));
  yield cut(bytes, () => 1);
}

function cut(bytes: Buffer, nextLength: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = nextLength();
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces.length === 0 ? [bytes] : pieces;
}

/** The parts between separators: the inputs of targets that take several. */
export function partsOf(input: Buffer, separator: Uint8Array): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (let end = input.indexOf(separator); end !== -1; end = input.indexOf(separator, at)) {
    parts.push(input.subarray(at, end));
    at = end + separator.length;
  }
  return [...parts, input.subarray(at)];
}

/** Seeds written as hexadecimal digits, with spaces where they help. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

function measure(value: unknown, depth: number): Bounds {
  if (typeof value === 'string' || value instanceof Uint8Array) {
    return { depth, items: 0, size: value.length };
  }
  if (typeof value !== 'object' || value === null) {
    return { depth, items: 0, size: 0 };
  }
  const members = value instanceof Map ? [...value].flat() : Object.values(value);
  return members.reduce<Bounds>(
    (sum, member) => {
      const inner = measure(member, depth + 1);
      return {
        depth: Math.max(sum.depth, inner.depth),
        items: sum.items + inner.items,
        size: sum.size + inner.size,
      };
    },
    { depth, items: members.length, size: 0 },
  );
}
