import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { assignment } from './env.ts';

const NASTY = `a'b"c$HOME \`id\` %PATH% \\ & | ;`;

describe('assignment()', () => {
  it('gives sh the value as it is', () => {
    const script = `${assignment('sh', 'HTTP_PROXY', NASTY)}\nprintf %s "$HTTP_PROXY"`;

    expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })).toBe(NASTY);
  });

  it.each([
    ['fish', `set -gx X 'a\\'b\\\\'`],
    ['powershell', `$env:X = 'a''b\\'`],
    ['cmd', `set "X=a'b\\"`],
  ] as const)('quotes for %s', (shell, line) => {
    expect(assignment(shell, 'X', `a'b\\`)).toBe(line);
  });

  it('keeps a percent sign from cmd', () => {
    expect(assignment('cmd', 'X', 'p%40')).toBe('set "X=p%%40"');
  });
});
