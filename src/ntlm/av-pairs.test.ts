import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AV_ID, findAvValue, formatAvPairs, parseAvPairs } from './av-pairs.ts';

const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const invalid = expect.objectContaining({ code: 'CHALLENGE_INVALID' });

describe('parseAvPairs()', () => {
  it('reads back any list formatAvPairs() writes', { timeout: 20_000 }, () => {
    const value = fc.uint8Array({ maxLength: 24 });
    const pair = fc
      .tuple(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 0xffff })), value)
      .filter(([id]) => id !== AV_ID.FLAGS && id !== AV_ID.TIMESTAMP)
      .map(([id, bytes]) => ({ id, value: bytes }));
    const fixed = fc.constantFrom(
      { id: AV_ID.FLAGS, value: Uint8Array.of(1, 2, 3, 4) },
      { id: AV_ID.TIMESTAMP, value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pair, fixed), { maxLength: 6 }), (pairs) =>
        isDeepStrictEqual(parseAvPairs(formatAvPairs(pairs)), pairs),
      ),
      { numRuns: 10_000 },
    );
  });

  it('takes an empty list for one without pairs', () => {
    expect(parseAvPairs(new Uint8Array())).toEqual([]);
  });

  it('takes 64 pairs', () => {
    expect(parseAvPairs(unhex('01000000'.repeat(64)))).toHaveLength(64);
  });

  it('does not look behind EOL', () => {
    expect(parseAvPairs(unhex('0000000007000100'))).toEqual([]);
  });

  it.each([
    ['a pair without a length', '0100'],
    ['three bytes behind the last pair', '01000000010000'],
    ['a value past the end', '0100050041'],
    ['flags of 2 bytes', '060002000000'],
    ['a timestamp of 9 bytes', '07000900000000000000000000'],
    ['65 pairs', '01000000'.repeat(65)],
  ])('refuses %s', (_claim, list) => {
    expect(() => parseAvPairs(unhex(list))).toThrow(invalid);
  });
});

describe('formatAvPairs()', () => {
  it('ends every list with EOL', () => {
    expect([...formatAvPairs([])]).toEqual([0, 0, 0, 0]);
  });

  it('refuses a value that cannot be told in 16 bits', () => {
    const value = new Uint8Array(0x1_0000);
    expect(() => formatAvPairs([{ id: 1, value }])).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_TOO_LARGE' }),
    );
  });
});

describe('findAvValue()', () => {
  const pairs = [
    { id: 1, value: Uint8Array.of(1) },
    { id: 1, value: Uint8Array.of(2) },
  ];

  it('gives the first of several', () => {
    expect(findAvValue(pairs, 1)).toEqual(Uint8Array.of(1));
  });

  it('gives undefined when there is none', () => {
    expect(findAvValue(pairs, 2)).toBeUndefined();
  });
});
