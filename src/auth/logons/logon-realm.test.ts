import { describe, expect, it } from 'vitest';
import { realmOf } from './logon-realm.ts';

describe('realmOf()', () => {
  it.each([
    ['proxy.corp.example', 'corp.example'],
    ['PROXY.Corp.Example.', 'corp.example'],
    ['a.b.corp.example', 'corp.example'],
    ['proxy.example.co.uk', 'example.co.uk'],
    ['proxy.corp.local', 'corp.local'],
    // A private suffix separates tenants of a hoster, not directories.
    ['proxy.tenant.github.io', 'github.io'],
    ['corp.example', 'corp.example'],
    ['co.uk', 'co.uk'],
    ['proxy', 'proxy'],
    ['10.1.2.3', '10.1.2.3'],
    ['2001:db8::1', '2001:db8::1'],
    ['proxy_1.corp.example', 'corp.example'],
  ])('takes %s for %s', (host, realm) => {
    expect(realmOf(host)).toBe(realm);
  });
});
