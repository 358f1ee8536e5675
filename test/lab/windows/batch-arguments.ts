// Runs on Windows: starts a batch file with each list of arguments as `sallyport run` would, and prints what the program behind
// it was given.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const [cases = '[]'] = process.argv.slice(2);
const folder = mkdtempSync(join(process.cwd(), 'batch & (1) '));
const seen = join(folder, 'seen.json');
const env = { ...process.env, NODE_PROGRAM: process.execPath, SEEN: seen };
const show =
  'require("node:fs").writeFileSync(process.env.SEEN, JSON.stringify(process.argv.slice(2)))';
writeFileSync(join(folder, 'show.cjs'), show);
writeFileSync(join(folder, 'tool.cmd'), '@"%NODE_PROGRAM%" "%~dp0show.cjs" %*\r\n@exit /b 7\r\n');

/** `sallyport run` in a process of its own, as a person starts it. */
function run(words: readonly string[], path = process.env['PATH']): number | null {
  const args = [MAIN, 'run', '--proxy', 'http://127.0.0.1:9', '--', ...words];
  return spawnSync(process.execPath, args, { env: { ...env, PATH: path }, stdio: 'ignore' }).status;
}

const results: unknown[] = [];
for (const args of JSON.parse(cases) as string[][]) {
  rmSync(seen, { force: true });
  const code = run([join(folder, 'tool'), ...args]);
  results.push({ code, args: existsSync(seen) ? JSON.parse(readFileSync(seen, 'utf8')) : null });
}
const injected = existsSync('injected') || existsSync(join(folder, 'injected'));

// What lies where one stands is not what was meant by a name.
process.chdir(folder);
writeFileSync('planted.cmd', '@exit /b 0\r\n');
const planted = [run(['planted'], '.;;C:\\windows'), run(['.\\planted'])];
const found = run(['tool'], `.;${folder}`);
process.stdout.write(JSON.stringify({ results, planted, found, injected }));
