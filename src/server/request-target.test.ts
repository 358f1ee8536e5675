import { describe, expect, it } from 'vitest';
import { forwardTarget } from './request-target.ts';

describe('forwardTarget()', () => {
  it.each([
    ['http://Origin.Test', 'http://origin.test/', '/'],
    ['http://origin.test?a=b', 'http://origin.test/?a=b', '/?a=b'],
    ['HTTP://origin.test:80/a/../b', 'http://origin.test/b', '/a/../b'],
    ['http://origin.test/%7e#part', 'http://origin.test/%7e#part', '/%7e'],
    ['https://[::1]:8443/x y', 'https://[::1]:8443/x%20y', '/x y'],
    ['http://origin.test/@x\\y', 'http://origin.test/@x/y', '/@x\\y'],
  ])('keeps the path of %s as it was written', (text, href, path) => {
    const target = forwardTarget(text);
    expect([target?.url.href, target?.path]).toEqual([href, path]);
  });

  it.each(['/', '/metrics', '*'])('takes %s for its own', (text) => {
    expect(forwardTarget(text)).toBeNull();
  });

  it.each([
    'http://user@origin.test/',
    'http://user:pass@origin.test/',
    'http://origin.test\\@evil.test/',
    'http:///path',
    'http://',
    'ws://origin.test/',
    'origin.test:443',
  ])('refuses %s', (text) => {
    expect(() => forwardTarget(text)).toThrow(expect.objectContaining({ code: 'URL_INVALID' }));
  });
});
