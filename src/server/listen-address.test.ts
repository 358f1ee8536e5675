import { describe, expect, it } from 'vitest';
import { addressesToBind, parseListenAddress } from './listen-address.ts';

describe('parseListenAddress()', () => {
  it.each([
    ['3128', null, 3128],
    ['0', null, 0],
    ['127.0.0.1:3128', null, 3128],
    ['localhost:3128', null, 3128],
    ['[::1]:3128', null, 3128],
    ['172.17.0.1:3128', '172.17.0.1', 3128],
    ['[fd00::1]:3128', 'fd00::1', 3128],
    ['0.0.0.0:65535', '0.0.0.0', 65_535],
  ])('reads %s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  it.each([
    '',
    'x',
    '65536',
    ':3128',
    '172.17.0.1',
    '172.17.0.1:',
    'fd00::1:3128',
    '[172.17.0.1]:1',
    'proxy.example:3128',
    '1.2.3:1',
  ])('refuses %s', (text) => {
    expect(() => parseListenAddress(text)).toThrow(/is no address with a port/);
  });
});

describe('addressesToBind()', () => {
  it.each([
    [null, ['127.0.0.1', '::1']],
    ['172.17.0.1', ['127.0.0.1', '::1', '172.17.0.1']],
    ['0.0.0.0', ['0.0.0.0', '::1']],
    ['::', ['::']],
    ['fd00::1', ['127.0.0.1', '::1', 'fd00::1']],
  ])('%s', (host, addresses) => {
    expect(addressesToBind(host)).toEqual(addresses);
  });
});
