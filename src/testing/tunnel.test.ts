import { describe, expect, it } from 'vitest';
import { parseAuthority } from './tunnel.ts';

describe('parseAuthority()', () => {
  it.each([
    ['a.test:443', { host: 'a.test', port: 443 }],
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['[::1]:8443', { host: '::1', port: 8443 }],
    ['a.test', null],
    ['a.test:', null],
    ['a.test:0', null],
    ['a.test:65536', null],
    ['::1:443', null],
    ['user@a.test:443', null],
    ['http://a.test:443', null],
    ['a.test:443/', null],
  ])('reads %s as %o', (target, expected) => {
    expect(parseAuthority(target)).toEqual(expected);
  });
});
