// `sallyport run` on Windows: what cmd.exe and a batch file make of arguments, which programs a name stands for, and how it ends.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureLab, LAB } from './lab.ts';
import { runOnWindows, windowsPath } from './windows.ts';

const lab = await ensureLab();
const NODE = windowsPath(join(LAB.directory, 'wine', 'node20', 'bin', 'node.exe'));

/**
 * Each of these was once a way into somebody's cmd.exe, or lost on the way. None has a %: Wine, unlike Windows, looks for
 * variables in what a batch file's `%*` has just become.
 */
const ARGUMENTS: string[][] = [
  ['plain', 'two words', ''],
  ['a&b', 'a|b', 'a>b', 'a<b', '(a)', 'a^b', 'a^^b', '!a!', '~', '@', ',;='],
  ['"', 'say "hi"', '"&echo x>injected&"', '" & echo x > injected & "', '"^&echo x>injected'],
  ['C:\\dir\\', 'C:\\two words\\', 'back\\"slash', '\\\\server\\share', '/c', '-x=y z'],
  ['ümläut', '日本'],
];

describe.skipIf(!lab.available)('on Windows', () => {
  it.each(['20', '22'] as const)('a batch file gets its arguments, by Node %s', async (node) => {
    const { code, stdout, stderr } = await runOnWindows({
      node,
      program: 'test/lab/windows/batch-arguments.ts',
      args: [JSON.stringify(ARGUMENTS)],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { results, planted, found, injected } = JSON.parse(stdout);
    expect(results).toEqual(ARGUMENTS.map((args) => ({ code: 7, args })));
    expect(planted).toEqual([127, 0]);
    expect(found).toBe(7);
    expect(injected).toBe(false);
  });

  it('run ends with the code of the program, which has each variable once', async () => {
    const print = 'console.log(JSON.stringify(process.env)); process.exitCode = 9';
    const { code, stdout, stderr } = await runOnWindows({
      node: '20',
      program: 'dist/cli/main.js',
      args: ['run', '--proxy', 'http://127.0.0.1:9', '--', NODE, '-e', print],
      env: { SALLYPORT_PASSWORD: 'secret', https_proxy: 'http://u:secret@other:1' },
    });
    expect({ code, stderr }).toEqual({ code: 9, stderr: '' });
    const env = JSON.parse(stdout) as Record<string, string>;
    expect(env['HTTPS_PROXY']).toMatch(/^http:\/\/x:[\w-]+@127\.0\.0\.1:\d+$/);
    expect(Object.keys(env).filter((name) => /^https_proxy$/i.test(name))).toHaveLength(1);
    expect(stdout).not.toContain('secret');
  });
});
