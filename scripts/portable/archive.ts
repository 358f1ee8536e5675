// One file of a folder, the same bytes for the same files: one date, one owner, one order. Owns how zip, tar and xz are called.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Zip knows no earlier year than 1980, and no time zone. */
const DATE = new Date('2020-01-01T00:00:00Z');
/** x86: addresses in programs become comparable, 5 % less; one block, since more depend on the processors of this machine. */
const XZ = 'xz -T1 --x86 --lzma2=preset=9';
const execute = promisify(execFile);

/**
 * Packs a folder, which becomes the archive's only entry at the top.
 *
 * @param file ends in `.zip` or `.tar.xz`
 * @throws Error when a tool is missing or fails
 */
export async function packFolder(folder: string, file: string): Promise<void> {
  await rm(file, { force: true });
  const names = await datedNames(folder);
  return file.endsWith('.zip') ? await zip(folder, file, names) : await tarXz(folder, file);
}

async function zip(folder: string, file: string, names: readonly string[]): Promise<void> {
  const zipping = spawn('zip', ['-q', '-9', '-X', '-@', resolve(file)], {
    cwd: dirname(folder),
    env: { ...process.env, TZ: 'UTC' },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  zipping.stdin.end(names.map((name) => `${name}\n`).join(''));
  const [code] = (await once(zipping, 'close')) as [number | null];
  if (code !== 0) {
    throw new Error(`zip ended with ${code}`);
  }
}

async function tarXz(folder: string, file: string): Promise<void> {
  const alike = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  const modes = ['--mode=u+w,go-w,a+rX', `--mtime=${DATE.toISOString()}`];
  await execute('tar', [
    ...['-I', XZ, '-cf', resolve(file), ...alike, ...modes],
    ...['-C', dirname(folder), basename(folder)],
  ]);
}

/** @returns files in order, each by its path from beside the folder */
async function datedNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of files) {
    await utimes(path, DATE, DATE);
  }
  return files.map((path) => path.slice(dirname(folder).length + 1));
}
