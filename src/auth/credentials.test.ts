import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../observe/secret.ts';
import { findIdentity, identityKey, parseIdentity } from './credentials.ts';

const secret = new Secret('Pä55:wörd%\\@');

describe('parseIdentity()', () => {
  it.each([
    ['CORP\\alice', 'CORP', 'alice'],
    ['corp.example\\a\\b', 'corp.example', 'a\\b'],
    ['alice@corp.example', '', 'alice@corp.example'],
    ['zoë', '', 'zoë'],
    ['CORP\\a b:c%d', 'CORP', 'a b:c%d'],
    ['alice/admin@CORP.EXAMPLE', '', 'alice/admin@CORP.EXAMPLE'],
  ])('splits %s at the first backslash only', (typed, domain, user) => {
    expect(parseIdentity(typed, secret)).toMatchObject({ typed, domain, user });
  });

  it.each([
    ...['', 'CORP\\', 'a\nb', 'a\0b'],
    ...['CORP/alice', '\\alice', '\\', 'alice@', '@corp.example', '@'],
    `${'/'.repeat(130_000)}\\`,
  ])('refuses %.20j', { timeout: 500 }, (typed) => {
    expect(() => parseIdentity(typed, secret)).toThrow(
      expect.objectContaining({ code: 'CREDENTIALS_INVALID' }),
    );
  });

  it('refuses a password with a line break without showing it', () => {
    expect(() => parseIdentity('alice', new Secret('one\r\ntwo'))).toThrow(/^(?!.*(one|two)).*$/s);
  });
});

describe('findIdentity()', () => {
  const other = new Secret('other');
  it.each([
    [
      'the strongest place with a name',
      [
        { user: 'a', password: secret },
        { user: 'b', password: other },
      ],
      'a',
      secret,
    ],
    [
      'a password from a weaker place of the same user',
      [{ user: 'a' }, { user: 'a', password: other }],
      'a',
      other,
    ],
    ['a password from a place that names nobody', [{ user: 'a' }, { password: other }], 'a', other],
    ['a stronger password for a weaker name', [{ password: secret }, { user: 'b' }], 'b', secret],
    ['an empty name counts as none', [{ user: '' }, { user: 'b', password: other }], 'b', other],
  ])('takes %s', (_claim, sources, typed, password) => {
    expect(findIdentity(sources)).toMatchObject({ typed, password });
  });

  it('never pairs a name with the password of somebody else', () => {
    expect(findIdentity([{ user: 'a' }, { user: 'b', password: other }])).toBeNull();
  });

  it('is null without a name', () => {
    expect(findIdentity([{ password: other }, {}])).toBeNull();
  });
});

describe('identityKey()', () => {
  it('changes with the secret and not with the case of the name', () => {
    const key = identityKey(parseIdentity('CORP\\alice', secret));
    expect(identityKey(parseIdentity('corp\\Alice', new Secret(secret.reveal())))).toBe(key);
    expect(identityKey(parseIdentity('CORP\\alice', new Secret('x')))).not.toBe(key);
    expect(identityKey(null)).toBe('nobody');
  });
});

describe('Secret', () => {
  it('shows itself to nobody but reveal()', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 9 }), (value) => {
        const hidden = new Secret(value);
        const shown = [
          inspect({ hidden }, { showHidden: true, depth: 9 }),
          JSON.stringify({ hidden }),
          `${hidden}`,
        ];
        expect(shown.join()).not.toContain(value);
        expect(hidden.reveal()).toBe(value);
      }),
    );
  });
});
