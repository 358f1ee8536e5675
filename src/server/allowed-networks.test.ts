import { describe, expect, it } from 'vitest';
import { allowedNetworks } from './allowed-networks.ts';

describe('allowedNetworks()', () => {
  it.each([
    ['172.17.0.0/16', '172.17.255.255', '172.18.0.0'],
    ['172.17.0.0/16', '::ffff:172.17.0.9', '::ffff:172.18.0.1'],
    ['10.1.2.3', '10.1.2.3', '10.1.2.4'],
    ['10.1.2.3/32', '::ffff:10.1.2.3', '10.1.2.2'],
    ['fd00::/8', 'fd12::1', 'fc00::1'],
    ['fe80::/10', 'fe80::1%eth0', '::2'],
  ])('%s has %s and not %s', (network, inside, outside) => {
    const networks = allowedNetworks([network]);
    expect(networks.has(inside)).toBe(true);
    expect(networks.has(outside)).toBe(false);
  });

  it('has loopback, whatever else', () => {
    const networks = allowedNetworks([]);
    for (const address of ['127.0.0.1', '127.255.0.1', '::ffff:127.0.0.1', '::1']) {
      expect(networks.has(address)).toBe(true);
    }
    for (const address of ['10.0.0.1', '::', '0.0.0.0', '', undefined]) {
      expect(networks.has(address)).toBe(false);
    }
  });

  it.each([
    '',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0/8',
    'corp.example',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.1/8/8',
  ])('refuses %s', (word) => {
    expect(() => allowedNetworks([word])).toThrow(/is no network/);
  });

  it.each(['0.0.0.0/0', '::/0'])('refuses everybody: %s', (word) => {
    expect(() => allowedNetworks([word])).toThrow(/is everybody/);
  });
});
