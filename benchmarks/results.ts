// What a run leaves behind: the page with its table, and on request the raw numbers.
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Outcome } from './contender.ts';

export interface Page {
  readonly machine: string;
  readonly table: string;
  readonly isQuick: boolean;
}

/**
 * Where these figures come from, in one line.
 *
 * @param root of the repository
 */
export async function machineLine(root: URL): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    readonly version: string;
  };
  const { model = 'unknown processor' } = cpus()[0] ?? {};
  const parts = [
    `${model.trim()}, ${cpus().length} cores`,
    `${process.platform} ${release()} ${process.arch}`,
    `Node ${process.version}`,
    `Sallyport ${version}`,
    await versionOf('curl', ['--version']),
    await versionOf('cntlm', ['-h']),
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** Writes RESULTS.md into the folder, which is made where it is missing. */
export async function writePage(folder: string, { machine, table, isQuick }: Page): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = [
    '# Results',
    '',
    'Written by `npm run bench`; [what the rows mean](README.md). Only ratios within this one run say anything.',
    ...(isQuick ? ['', 'A quick run: few rounds, much noise.'] : []),
    '',
    `${new Date().toISOString().slice(0, 10)}: ${machine}`,
    '',
    table,
    '',
  ];
  await writeFile(join(folder, 'RESULTS.md'), lines.join('\n'));
}

/** Writes history/TIME.json into the folder: all samples, by the id of the contender. */
export async function writeHistory(
  folder: string,
  machine: string,
  outcomes: ReadonlyMap<string, Outcome>,
): Promise<void> {
  const history = join(folder, 'history');
  await mkdir(history, { recursive: true });
  const time = new Date().toISOString();
  const file = join(history, `${time.replaceAll(':', '-')}.json`);
  const raw = { time, machine, outcomes: Object.fromEntries(outcomes) };
  await writeFile(file, `${JSON.stringify(raw, null, 1)}\n`);
}

/** Name and version as the program tells them, or nothing where it is not installed. */
async function versionOf(program: string, args: readonly string[]): Promise<string> {
  const answer = await promisify(execFile)(program, [...args]).catch((error: unknown) => error);
  const { stdout = '', stderr = '' } = answer as { stdout?: string; stderr?: string };
  const version = /\d+\.\d+[\w.]*/.exec(`${stdout}${stderr}`)?.[0];
  return version === undefined ? '' : `${program} ${version}`;
}
