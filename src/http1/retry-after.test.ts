import { describe, expect, it } from 'vitest';
import { parseHttpDate, parseRetryAfter } from './retry-after.ts';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('parseRetryAfter()', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sun, 06 Nov 1994 08:48:37 GMT', 0],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['soon', undefined],
    ['1.5', undefined],
    ['99999999999', undefined],
  ])('%j asks for %j ms', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });
});

describe('parseHttpDate()', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', NOW],
    ['Sun, 06 Nov 1994 08:49:37', undefined],
    ['1994-11-06', undefined],
    ['Sun, 99 Nov 1994 08:49:37 GMT', undefined],
  ])('%s is %j', (value, expected) => {
    expect(parseHttpDate(value)).toBe(expected);
  });
});
