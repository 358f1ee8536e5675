// What a run leaves behind: the page with its table, and on request the raw numbers.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Outcome } from './contender.ts';
import type { Peer } from './peers.ts';
import { findPeer, PEERS } from './peers.ts';
import type { Unit } from './units.ts';

const HISTORY = 'history';

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
    ...(await Promise.all(PEERS.map(peerVersion))),
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

/** All samples of a section, as a file of the history has them. */
export interface RawSection {
  readonly key: string;
  readonly title: string;
  readonly unit: Unit;
  readonly rows: readonly RawRow[];
}

export interface RawRow {
  /** The same in every run. */
  readonly id: string;
  readonly name: string;
  readonly title: string;
  /** The id of the row it is compared with, of the same section. */
  readonly against: string | null;
  readonly outcome: Outcome;
}

export interface RawRun {
  /** ISO 8601 */
  readonly time: string;
  readonly machine: string;
  readonly sections: readonly RawSection[];
}

/**
 * Writes history/TIME.json into the folder.
 *
 * @returns the path of the file
 */
export async function writeHistory(
  folder: string,
  run: Pick<RawRun, 'machine' | 'sections'>,
): Promise<string> {
  const history = join(folder, HISTORY);
  await mkdir(history, { recursive: true });
  const raw: RawRun = { time: new Date().toISOString(), ...run };
  const file = join(history, `${raw.time.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify(raw, null, 1)}\n`);
  return file;
}

/** The runs in history/ of the folder, oldest first, by path. */
export async function listHistory(folder: string): Promise<string[]> {
  const history = join(folder, HISTORY);
  const names = await readdir(history).catch(() => []);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(history, name));
}

/** @throws Error when the file is missing, or is none of these */
export async function readHistory(file: string): Promise<RawRun> {
  const run = JSON.parse(await readFile(file, 'utf8')) as Partial<RawRun> | null;
  if (!(Array.isArray(run?.sections) && typeof run.time === 'string')) {
    throw new Error(`${file} was not written by --history`);
  }
  return run as RawRun;
}

/** Name and version as the program tells them, or nothing where it is not installed. */
async function versionOf(name: string, args: readonly string[], program = name): Promise<string> {
  const answer = await promisify(execFile)(program, [...args]).catch((error: unknown) => error);
  const { stdout = '', stderr = '' } = answer as { stdout?: string; stderr?: string };
  const version = /\d+\.\d+[\w.]*/.exec(`${stdout}${stderr}`)?.[0];
  return version === undefined ? '' : `${name} ${version}`;
}

async function peerVersion(peer: Peer): Promise<string> {
  const program = await findPeer(peer).catch(() => null);
  return program === null ? '' : versionOf(peer.name, peer.versionArgs, program);
}
