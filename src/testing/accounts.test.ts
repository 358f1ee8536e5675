import { describe, expect, it } from 'vitest';
import { Accounts, isPassword } from './accounts.ts';

const USERS = [
  { name: 'alice', domain: 'CORP', password: 'p1', upn: 'alice@corp.test' },
  { name: 'bob', password: 'p2' },
];

describe('Accounts', () => {
  it.each([
    ['alice', 'CORP', 'CORP\\alice'],
    ['ALICE', 'corp', 'CORP\\alice'],
    ['alice', '', 'CORP\\alice'],
    ['Alice@Corp.Test', '', 'CORP\\alice'],
    ['alice', 'OTHER', undefined],
    ['alice@corp.test', 'CORP', undefined],
    ['bob', 'ANY', 'bob'],
    ['', '', undefined],
  ])('find(%j, %j) gives %s', async (name, domain, id) => {
    const accounts = await Accounts.of(USERS);

    expect(accounts.find(name, domain)?.id).toBe(id);
  });

  it.each([
    ['CORP\\alice', 'CORP\\alice'],
    ['alice', 'CORP\\alice'],
    ['alice@corp.test', 'CORP\\alice'],
    ['CORP/alice', undefined],
  ])('findByUserId(%j) gives %s', async (userId, id) => {
    expect((await Accounts.of(USERS)).findByUserId(userId)?.id).toBe(id);
  });

  it('holds the NT hash of the password (MS-NLMP 4.2.2.1.2)', async () => {
    const accounts = await Accounts.of([{ name: 'User', password: 'Password' }]);

    expect(accounts.find('User', '')?.ntHash.toString('hex')).toBe(
      'a4f49c406510bdcab6824ee7c30fd852',
    );
  });
});

describe('isPassword()', () => {
  it('tells passwords apart, whatever their length', async () => {
    const account = (await Accounts.of(USERS)).find('bob', '');

    expect(account !== null && isPassword(account, 'p2')).toBe(true);
    expect(account !== null && isPassword(account, 'p2 ')).toBe(false);
    expect(account !== null && isPassword(account, '')).toBe(false);
  });
});
