import { describe, expect, it } from 'vitest';
import { nearestWord } from './nearest-word.ts';

const KNOWN = ['proxy', 'noProxy', 'auth', 'noAuth', 'systemProxy'];

describe('nearestWord()', () => {
  it.each([
    ['prxoy', 'proxy'],
    ['PROXY', 'proxy'],
    ['no_proxy', 'noProxy'],
    ['no-auth', 'noAuth'],
    ['systemProxi', 'systemProxy'],
    ['autth', 'auth'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearestWord(typed, KNOWN)).toBe(meant);
  });

  it.each(['x', 'telemetry', 'toString', 'p'.repeat(10_000)])('makes nothing of %s', (typed) => {
    expect(nearestWord(typed, KNOWN)).toBeUndefined();
  });
});
