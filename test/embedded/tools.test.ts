// The tools of this repository as a newcomer meets them: help, and one line for what cannot be understood.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TOOLS = {
  demo: 'build/tools/scripts/demo.js',
  bench: 'build/tools/benchmarks/main.js',
  fuzz: 'build/tools-fuzz/test/fuzz/main.js',
  soak: 'build/tools/test/soak/main.js',
} as const;

async function run(tool: keyof typeof TOOLS, ...args: string[]) {
  try {
    const { stdout, stderr } = await execute(process.execPath, [TOOLS[tool], ...args], {
      cwd: ROOT,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

beforeAll(async () => {
  // Beside the build of the scripts: another test may be running what is in that.
  for (const [project, folder] of [
    ['tsconfig.scripts.json', 'build/tools'],
    ['tsconfig.fuzz.json', 'build/tools-fuzz'],
  ] as const) {
    const args = ['-p', project, '--outDir', folder];
    await execute(join(ROOT, 'node_modules/.bin/tsc'), args, { cwd: ROOT });
  }
}, 120_000);

describe('a tool', () => {
  it.each(['demo', 'bench', 'fuzz', 'soak'] as const)(
    '%s explains each option, with examples',
    async (tool) => {
      const { code, stdout } = await run(tool, '--help');
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Examples:\\n  npm run ${tool}`, 'm'));
      const [usage = ''] = stdout.split('Examples:');
      for (const option of new Set(usage.match(/--[a-z]+(?:-[a-z]+)*/g))) {
        expect(usage).toMatch(new RegExp(`^  ${option} .* {2}\\S|^  ${option} {2,}\\S`, 'm'));
      }
    },
  );

  it.each([
    ['demo', ['--nowhere'], /^demo: Unknown option '--nowhere'\. Try npm run demo -- --help\.$/],
    ['demo', ['--here'], /^demo: Option '--here <value>' argument missing\. Try/],
    ['bench', ['--onyl', 'x'], /^bench: Unknown option '--onyl'\. Try/],
    ['bench', ['--only', 'x'], /^bench: There is no section x; there are /],
    ['bench', ['quick'], /^bench: quick is no option\. Try/],
    ['fuzz', ['--minutes', 'ten'], /^fuzz: --minutes is a number above 0\. Try/],
    ['fuzz', ['--seed', 'x'], /^fuzz: --seed is a whole number\. Try/],
    ['fuzz', ['nothing'], /^fuzz: There is no target nothing\. Try/],
    ['fuzz', ['--replay', 'x'], /^fuzz: --replay and --input want one target\. Try/],
    ['soak', ['--handshakes', 'many'], /^soak: --handshakes is a whole number, 100 at least\. Try/],
    ['soak', ['--handshakes'], /^soak: Option '--handshakes <value>' argument missing\. Try/],
    ['soak', ['--seed', 'x'], /^soak: --seed is a whole number\. Try/],
  ] as const)('%s %j is one line, and exit code 2', async (tool, args, says) => {
    const { code, stdout, stderr } = await run(tool, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim()).toMatch(says);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
