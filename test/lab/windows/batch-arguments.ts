// Runs on Windows: starts a batch file with each list of arguments as `sallyport run` would, and prints what the program behind
// it was given.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../../../src/cli/child-program.ts';

const [cases = '[]'] = process.argv.slice(2);
const folder = mkdtempSync(join(process.cwd(), 'batch & (1) '));
const seen = join(folder, 'seen.json');
const env = { ...process.env, NODE_PROGRAM: process.execPath, SEEN: seen };
const show =
  'require("node:fs").writeFileSync(process.env.SEEN, JSON.stringify(process.argv.slice(2)))';
writeFileSync(join(folder, 'show.cjs'), show);
writeFileSync(join(folder, 'tool.cmd'), '@"%NODE_PROGRAM%" "%~dp0show.cjs" %*\r\n@exit /b 7\r\n');

const results: unknown[] = [];
for (const args of JSON.parse(cases) as string[][]) {
  rmSync(seen, { force: true });
  const end = await runProgram([join(folder, 'tool'), ...args], env);
  results.push({ end, args: existsSync(seen) ? JSON.parse(readFileSync(seen, 'utf8')) : null });
}

/** What lies where one stands is not what was meant by a name. */
async function fromWorkingDirectory(name: string): Promise<unknown> {
  mkdirSync(join(folder, 'here'));
  process.chdir(join(folder, 'here'));
  writeFileSync('planted.cmd', '@exit /b 0\r\n');
  try {
    return await runProgram([name], { ...env, PATH: '.;;C:\\windows' });
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

const planted = [await fromWorkingDirectory('planted'), await runProgram(['.\\planted'], env)];
const found = await runProgram(['tool'], { ...env, PATH: `.;${folder}` });
process.stdout.write(JSON.stringify({ results, planted, found, injected: existsSync('injected') }));
