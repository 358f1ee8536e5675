import { describe, expect, it } from 'vitest';
import type { SignOnFacts } from './sign-on-rules.ts';
import { signOnRule } from './sign-on-rules.ts';

const facts = (more: Partial<SignOnFacts> = {}): SignOnFacts => ({
  host: 'proxy.corp.example',
  port: 3128,
  namedBy: 'option',
  sourceName: '--proxy',
  pinned: new Set(),
  noAuth: new Set(),
  loggedIn: new Set(),
  homeDomains: [],
  isAtHome: false,
  ...more,
});

const ALL = { password: true, kerberos: true, ntlm: true };
const KERBEROS = { password: false, kerberos: true, ntlm: false };
const HOME = { homeDomains: ['corp.example'], isAtHome: true };

describe('signOnRule()', () => {
  it.each<[string, Partial<SignOnFacts>, object, RegExp]>([
    ['an option', {}, ALL, /named by --proxy/],
    ['a variable', { namedBy: 'environment', sourceName: 'HTTPS_PROXY' }, ALL, /by HTTPS_PROXY/],
    [
      'the operating system by hand',
      { namedBy: 'system', sourceName: 'GNOME settings' },
      ALL,
      /GNOME/,
    ],
    ['a PAC, elsewhere', { namedBy: 'pac' }, KERBEROS, /in no domain of this user/],
    [
      'a PAC, in the home domain',
      { namedBy: 'pac', ...HOME },
      { ...KERBEROS, ntlm: true },
      /answers/,
    ],
    [
      'a PAC, in the home domain, but away from home',
      { namedBy: 'pac', ...HOME, isAtHome: false },
      KERBEROS,
      /no domain controller of corp.example answers/,
    ],
    [
      'a PAC, in a domain that only ends alike',
      { namedBy: 'pac', ...HOME, host: 'evilcorp.example' },
      KERBEROS,
      /in no domain/,
    ],
    ['WPAD, even in the home domain', { namedBy: 'wpad', ...HOME }, KERBEROS, /WPAD alone/],
    [
      'WPAD, but pinned',
      { namedBy: 'wpad', pinned: new Set(['proxy.corp.example']) },
      ALL,
      /pinned/,
    ],
    [
      'WPAD, pinned for another port',
      { namedBy: 'wpad', pinned: new Set(['proxy.corp.example:8080']) },
      KERBEROS,
      /WPAD/,
    ],
    [
      'WPAD, but a login is stored for it',
      { namedBy: 'wpad', loggedIn: new Set(['proxy.corp.example:3128']) },
      { ...KERBEROS, password: true },
      /WPAD/,
    ],
    [
      'an option, but on the list of those that get nothing',
      { noAuth: new Set(['proxy.corp.example:3128']), pinned: new Set(['proxy.corp.example']) },
      { password: false, kerberos: false, ntlm: false },
      /noAuth/,
    ],
  ])('%s', (_namedBy, more, wanted, words) => {
    const { rule, ...what } = signOnRule(facts(more));
    expect(what).toEqual(wanted);
    expect(rule).toMatch(words);
  });
});
