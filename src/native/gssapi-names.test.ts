// Names from what people type; what realm a user belongs to.
import { describe, expect, it } from 'vitest';
import { serviceName, userPrincipal } from './gssapi-names.ts';

describe('serviceName()', () => {
  it('writes a host-based service, the host in lower case', () => {
    expect(serviceName('HTTP/Proxy.Corp.Example')).toEqual({
      text: 'HTTP@proxy.corp.example',
      type: 'hostbased-service',
    });
  });

  it.each(['HTTP/proxy.corp.example@CORP.EXAMPLE', 'HTTP/proxy.corp.example:3128', 'HTTP/a/b'])(
    'leaves %s a principal name when a host-based one cannot say it',
    (spn) => {
      expect(serviceName(spn)).toEqual({ text: spn, type: 'kerberos-principal' });
    },
  );
});

describe('userPrincipal()', () => {
  it.each([
    ['alice@corp.example', '', null, 'alice@CORP.EXAMPLE'],
    ['alice@CORP.EXAMPLE', '', 'OTHER.EXAMPLE', 'alice@CORP.EXAMPLE'],
    ['a@b@corp.example', '', null, 'a\\@b@CORP.EXAMPLE'],
    ['alice', 'corp.example', null, 'alice@CORP.EXAMPLE'],
    ['alice', 'CORP', 'CORP.EXAMPLE', 'alice@CORP.EXAMPLE'],
    ['alice', 'corp', 'CORP.EXAMPLE', 'alice@CORP.EXAMPLE'],
    ['alice', 'CORP', 'EU.CORP.EXAMPLE', null],
    ['alice', 'CORP', 'CORPORATE.EXAMPLE', null],
    ['alice', 'CORP', null, null],
    ['alice', '', 'CORP.EXAMPLE', 'alice@CORP.EXAMPLE'],
    ['alice', '', null, null],
    ['@corp.example', '', null, null],
    ['a/b', 'CORP', 'CORP.EXAMPLE', 'a\\/b@CORP.EXAMPLE'],
    ['zoë', 'CORP', 'CORP.EXAMPLE', 'zoë@CORP.EXAMPLE'],
  ])('makes of “%s”, domain “%s”, default realm %s: %s', (user, domain, realm, principal) => {
    expect(userPrincipal({ user, domain }, realm)).toBe(principal);
  });
});
