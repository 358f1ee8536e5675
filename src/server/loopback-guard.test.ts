import { describe, expect, it } from 'vitest';
import { HeaderList } from '../http1/header-list.ts';
import { isOnThisMachine, isOpenToOthers, keepFromLoopback } from './loopback-guard.ts';

const ask = (target: string, from: string | undefined) =>
  isOnThisMachine(from)
    ? null
    : keepFromLoopback({ method: 'GET', target, version: '1.1', headers: new HeaderList([]) });

describe('keepFromLoopback()', () => {
  it.each([
    'http://127.0.0.1:631/',
    'http://127.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://localhost/',
    'http://LOCALHOST.:80/',
    'http://x.localhost/',
    'http://[::1]:8080/',
    'http://[::ffff:127.0.0.1]/',
    'http://0.0.0.0/',
    'http://[::]/',
    'HTTPS://127.9.9.9/',
    '127.0.0.1:22',
    'localhost:443',
    '[::1]:443',
    '0:22',
  ])('keeps %s from another machine, and not from this one', (target) => {
    for (const from of ['10.0.0.9', '::ffff:10.0.0.9', 'fd00::9', undefined]) {
      expect(ask(target, from)).toMatchObject({ status: 403 });
    }
    for (const from of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) {
      expect(ask(target, from)).toBeNull();
    }
  });

  it.each([
    'http://example.com/',
    'example.com:443',
    'http://10.0.0.1/',
    'http://localhost.example/',
    'http://mylocalhost/',
    '/',
    '*',
    'http://[::2]/',
  ])('leaves %s alone', (target) => {
    expect(ask(target, '10.0.0.9')).toBeNull();
  });
});

describe('isOpenToOthers()', () => {
  it('is told of addresses', () => {
    const told = ['127.0.1.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '10.0.0.1', 'fd00::1'].map(
      isOpenToOthers,
    );
    expect(told).toEqual([false, false, false, false, true, true]);
  });
});
