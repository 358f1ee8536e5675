import { describe, expect, it } from 'vitest';
import { checkReach, usersWithoutToken } from './port-rules.ts';

const TOKEN = 'A234567890123456789012';

describe('checkReach()', () => {
  it.each([
    [{ token: TOKEN }],
    [{ token: null, sameUser: true }],
    [{ token: null, allowUsers: ['_apt'] }],
    [{ token: TOKEN, host: '172.17.0.1', allow: ['172.17.0.0/16'] }],
  ])('lets %o be', (rules) => {
    expect(() => checkReach(rules)).not.toThrow();
  });

  it.each([
    [
      { token: null, sameUser: true, host: '172.17.0.1', allow: ['172.17.0.0/16'] },
      /needs a token/,
    ],
    [{ token: TOKEN, host: '172.17.0.1' }, /needs --allow/],
    [{ token: TOKEN, allow: ['172.17.0.0/16'] }, /--allow does nothing/],
    [{ token: null }, /nobody could use/],
    [{ token: TOKEN.slice(1) }, /fewer than 22/],
    [{ token: `${TOKEN}@` }, /a URL cannot carry/],
  ])('refuses %o', (rules, message) => {
    expect(() => checkReach(rules)).toThrow(message);
  });

  it('never shows the token', () => {
    expect(() => checkReach({ token: 'hunter2' })).toThrow(expect.not.stringContaining('hunter2'));
  });
});

describe('usersWithoutToken()', () => {
  it('is nobody, unless it is said', () => {
    expect([...usersWithoutToken({}, '1000')]).toEqual([]);
    expect([...usersWithoutToken({ sameUser: true }, '1000')]).toEqual(['1000']);
    expect([...usersWithoutToken({ sameUser: true }, null)]).toEqual([]);
  });
});
