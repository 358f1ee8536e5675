import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeUser, idsOfUsers, nameOfUser } from './user-names.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-users-'));
const passwd = join(folder, 'passwd');
writeFileSync(
  passwd,
  'root:x:0:0::/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\n\nbroken\n',
);
afterAll(() => rmSync(folder, { recursive: true }));

describe('idsOfUsers()', () => {
  it('takes names and numbers', () => {
    expect(idsOfUsers(['_apt', '1000', '0042', 'root'], 'linux', passwd)).toEqual([
      '42',
      '1000',
      '42',
      '0',
    ]);
  });

  it.each(['alice', '', 'x', '-1', '1e3'])('refuses %s', (word) => {
    expect(() => idsOfUsers([word], 'linux', passwd)).toThrow(/there is no user/);
  });

  it('works on Linux only', () => {
    expect(idsOfUsers([], 'win32', passwd)).toEqual([]);
    expect(() => idsOfUsers(['alice'], 'win32', passwd)).toThrow(/Linux only/);
    expect(() => idsOfUsers(['502'], 'darwin', passwd)).toThrow(/Linux only/);
  });
});

describe('describeUser()', () => {
  it('names whom it knows', () => {
    expect(describeUser('42', passwd)).toBe('_apt (uid 42)');
    expect(describeUser('1000', passwd)).toBe('uid 1000');
    expect(describeUser('S-1-5-21-7', passwd)).toBe('S-1-5-21-7');
    expect(describeUser('42', join(folder, 'none'))).toBe('uid 42');
    expect([nameOfUser('0', passwd), nameOfUser('1000', passwd)]).toEqual(['root', '1000']);
  });
});
