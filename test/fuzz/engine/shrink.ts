// Makes an input shorter while it still does what it was kept for. Owns the order of the tries and their number.
import type { Fault } from './judge.ts';
import { judge } from './judge.ts';
import type { FuzzTarget } from './target.ts';

const MAX_TRIES = 40;
const MAX_FAULT_TRIES = 2000;

/** Leaves out parts, large ones first. */
export function shrink(
  input: Buffer,
  isGood: (shorter: Buffer) => boolean,
  maxTries: number = MAX_TRIES,
): Buffer {
  let shortest = input;
  let tries = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < shortest.length && tries < maxTries; ) {
      const shorter = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)]);
      tries += 1;
      if (isGood(shorter)) {
        shortest = shorter;
      } else {
        at += size;
      }
    }
  }
  return shortest;
}

/** The same for an input with a fault. What takes too long stays as it is. */
export function shrinkFault(target: FuzzTarget, input: Buffer, { kind, signature }: Fault): Buffer {
  return kind === 'throws'
    ? shrink(input, (one) => judge(target, one)?.signature === signature, MAX_FAULT_TRIES)
    : input;
}
