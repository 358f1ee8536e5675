import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPlaces } from './json-places.ts';

describe('findPlaces()', () => {
  it('gives line and column of each key, of inner objects too', () => {
    const { places, double } = findPlaces(
      '{\n  "a": [1, {"b": 2}],\n  "c": {"d": "}{",\n"e": {}}\n}',
    );
    expect(places.get('a')).toEqual({ line: 2, column: 3 });
    expect(places.get('c')).toEqual({ line: 3, column: 3 });
    expect(places.get('c.d')).toEqual({ line: 3, column: 9 });
    expect(places.get('c.e')).toEqual({ line: 4, column: 1 });
    expect(double).toBeNull();
  });

  it.each([
    ['{"a": 1, "a": 2}', 'a'],
    ['{"a": {"b": 1, "\\u0062": 2}}', 'a.b'],
    ['{"a": {"b": 1}, "b": 2}', null],
    ['{"a": [{"b": 1}, {"b": 2}]}', null],
  ])('finds in %s that %s stands there twice', (text, double) => {
    expect(findPlaces(text).double).toBe(double);
  });

  it('knows every key of any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }),
        fc.constantFrom(0, 2),
        (value, indent) => {
          const { places } = findPlaces(JSON.stringify(value, null, indent));
          expect(Object.keys(value).filter((key) => !places.has(key))).toEqual([]);
        },
      ),
    );
  });
});
