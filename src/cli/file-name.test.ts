import { describe, expect, it } from 'vitest';
import { fileNameOf } from './file-name.ts';

describe('fileNameOf()', () => {
  it.each([
    ['http://x/a/b.zip', 'b.zip'],
    ['http://x/b.zip?c=/d#e', 'b.zip'],
    ['http://x/b%20c%C3%BC', 'b cü'],
    ['http://x/100%', '100%'],
    ['http://x/%ff', '%ff'],
    ['http://x/a%2Fb', 'a%2Fb'],
    ['http://x/a%5Cb', 'a%5Cb'],
    ['http://x/a%00b', 'a%00b'],
    ['http://x/a%1Bb', 'a%1Bb'],
    ['http://x/a:b', 'a:b'],
  ])('%s is %s', (url, name) => {
    expect(fileNameOf(new URL(url), 'linux')).toBe(name);
  });

  it.each([
    ['http://x/a:b%3F', 'a_b_'],
    ['http://x/con', '_con'],
    ['http://x/NUL.txt', '_NUL.txt'],
    ['http://x/com1.zip', '_com1.zip'],
    ['http://x/console', 'console'],
    ['http://x/a.', 'a_'],
  ])('%s is %s on Windows', (url, name) => {
    expect(fileNameOf(new URL(url), 'win32')).toBe(name);
  });

  it.each(['http://x/', 'http://x/a/', 'http://x/?a=b', 'http://x/a/%2e%2e'])(
    '%s has no name',
    (url) => {
      expect(() => fileNameOf(new URL(url))).toThrow('does not end with a file name');
    },
  );
});
