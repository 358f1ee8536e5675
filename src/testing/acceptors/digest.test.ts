import { describe, expect, it } from 'vitest';
import { Accounts } from '../accounts.ts';
import { DigestAuthority } from './digest.ts';

const authority = new DigestAuthority({}, await Accounts.of([]));

describe('DigestAuthority', () => {
  it.each([
    ['a name without its value', 'a'.repeat(60_000)],
    ['a text without its end', 'a="\\"'.repeat(12_000)],
  ])('refuses %s in no time', { timeout: 500 }, (_claim, text) => {
    expect(authority.judge(text, { method: 'GET', target: '/' })).toMatchObject({
      reason: 'malformed',
    });
  });
});
