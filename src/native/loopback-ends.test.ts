import { describe, expect, it } from 'vitest';
import { endsKey, loopbackEnds, turned } from './loopback-ends.ts';

const ends = (remoteAddress: string, localAddress: string) =>
  loopbackEnds({ remoteAddress, localAddress, remotePort: 40_000, localPort: 3128 });

describe('loopbackEnds()', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', '7f000001'],
    ['127.9.8.7', '127.0.0.1', '7f090807'],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1', '7f000001'],
    ['::1', '::1', '00000000000000000000000000000001'],
  ])('takes %s', (remote, local, bytes) => {
    expect(ends(remote, local)?.peerAddress.toString('hex')).toBe(bytes);
  });

  it.each([
    ['10.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '10.0.0.1'],
    ['::1', '127.0.0.1'],
    ['::ffff:10.0.0.1', '::ffff:127.0.0.1'],
    ['127.0.0.1.evil', '127.0.0.1'],
    ['::7f00:1', '::1'],
  ])('passes over %s to %s', (remote, local) => {
    expect(ends(remote, local)).toBeNull();
  });

  it('passes over a socket that is closed', () => {
    expect(loopbackEnds({})).toBeNull();
  });
});

describe('turned()', () => {
  it('is the same connection from the other end', () => {
    const here = ends('127.0.0.2', '127.0.0.1');
    const there = loopbackEnds({
      remoteAddress: '127.0.0.1',
      remotePort: 3128,
      localAddress: '127.0.0.2',
      localPort: 40_000,
    });
    expect(here && endsKey(turned(here))).toBe(there && endsKey(there));
  });
});
