import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from './json-fault.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('findJsonFault()', () => {
  it.each([
    ['', 1, 1],
    [' \n ', 2, 2],
    ['{', 1, 2],
    ['{"a": 1,}', 1, 9],
    ['{"a": 1,\n}', 2, 1],
    ['{\r\n  "a" 1\r\n}', 2, 7],
    ['{\n  a: 1\n}', 2, 3],
    ["{'a': 1}", 1, 2],
    ['{"a": "b}', 1, 7],
    ['{"a": "b\nc"}', 1, 7],
    ['{"a": "C:\\Users"}', 1, 7],
    ['{"a": 01}', 1, 8],
    ['{"a": undefined}', 1, 7],
    ['{"a": 1} {}', 1, 10],
    ['{"a": 1}}', 1, 9],
    ['["a" "b"]', 1, 6],
    ['["a"}', 1, 5],
    ['{"a" "b"]', 1, 6],
    ['// no\n{}', 1, 1],
    ['{"a":\n\n  ,}', 3, 3],
  ])('places the fault of %j', (text, line, column) => {
    expect(findJsonFault(text)).toEqual({ line, column });
  });

  it('finds no fault in a text of a mebibyte, however deep', () => {
    const half = 512 * 1024;
    expect(findJsonFault('['.repeat(half) + ']'.repeat(half))).toBeUndefined();
    expect(findJsonFault(`"${'a'.repeat(2 * half)}"`)).toBeUndefined();
    expect(findJsonFault(`"${'a'.repeat(2 * half)}`)).toEqual({ line: 1, column: 1 });
  });

  it('agrees with JSON.parse on every text', { timeout: 20_000 }, () => {
    const token = fc.oneof(
      fc.constantFrom('{', '}', '[', ']', ',', ':', ' ', '\n', '"a"', '"a":', '"\\u12"', '"\\n"'),
      fc.constantFrom('0', '01', '-', '-1', '1.', '1.5e+3', 'true', 'null', 'nul', '"', '\u00a0'),
      fc.json(),
    );
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 }))
      .map(([json, at, put]) => {
        const offset = at % (json.length + 1);
        return json.slice(0, offset) + put + json.slice(offset + 1);
      });
    const text = fc.oneof(
      fc.array(token, { maxLength: 8 }).map((tokens) => tokens.join('')),
      fc.json(),
      broken,
    );
    fc.assert(
      fc.property(text, (one) => {
        expect(findJsonFault(one) === undefined).toBe(isJson(one));
      }),
      { numRuns: 10_000 },
    );
  });
});
