import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { parseTarget, targetName, targetOf } from './target.ts';

describe('parseTarget()', () => {
  it.each([
    ['example.com:443', 'example.com', 443],
    ['[2001:db8::1]:8443', '2001:db8::1', 8443],
    ['127.0.0.1:1', '127.0.0.1', 1],
  ])('reads %s', (text, host, port) => {
    expect(parseTarget(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':443',
    'example.com',
    'example.com:0',
    'example.com:65536',
    'a b:1',
    'a@b:1',
    '::1:80',
    '[x]:80',
    '[a.b]:80',
    'a/b:80',
    'a:1\r\n',
  ])('refuses %j', (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'URL_INVALID' }));
  });

  it('is undone by targetName()', { timeout: 20_000 }, () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const target = { host: name, port };
        expect(parseTarget(targetName(target))).toEqual(target);
      }),
      { numRuns: 10_000 },
    );
  });

  it('gives a target or a named error on arbitrary text', { timeout: 20_000 }, () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(':', '[', ']', '443', 'a.b', '::1'));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        try {
          parseTarget(pieces.join(''));
        } catch (error) {
          expect(isSallyportError(error)).toBe(true);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('targetOf()', () => {
  it.each([
    ['https://example.com/', 'example.com', 443],
    ['http://example.com/', 'example.com', 80],
    ['http://[::1]:8080/', '::1', 8080],
  ])('of %s', (url, host, port) => {
    expect(targetOf(new URL(url))).toEqual({ host, port });
  });
});
