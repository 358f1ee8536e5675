import { describe, expect, it } from 'vitest';
import { parseWordList } from './word-list.ts';

describe('parseWordList()', () => {
  it.each([
    ['', []],
    [' ,\t,\n', []],
    ['a', ['a']],
    ['a,b c', ['a', 'b', 'c']],
    [' a , b\r\nc,', ['a', 'b', 'c']],
  ])('splits %j', (text, words) => {
    expect(parseWordList(text)).toEqual(words);
  });
});
