// Which file each address of `get` becomes. Owns the names, and the finding out before the first byte that two are one or that
// one cannot be written.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SallyportError } from '../errors/sallyport-error.ts';
import { checkWritable, findPlace } from './choose-destination.ts';
import { fileNameOf } from './file-name.ts';
import type { GetFlags } from './get-flags.ts';
import { lockOf, partOf } from './part-file.ts';
import { recordOf } from './part-record.ts';

/** One address, and the file it becomes. */
export interface Job {
  readonly url: URL;
  /** As the user named it; `null` is standard output. */
  readonly file: string | null;
  /** With `--continue`: it is there, and nothing unfinished beside it. */
  readonly isThere: boolean;
}

/**
 * With several addresses, or a folder, each file is named by the end of its address.
 *
 * @throws SallyportError USAGE for names that are missing or taken, OUTPUT_FAILED for what cannot be written
 */
export async function nameFiles(urls: readonly URL[], flags: GetFlags): Promise<Job[]> {
  const jobs: Job[] = [];
  const taken = new Map<string, URL>();
  for (const { url, file } of await namesOf(urls, flags)) {
    jobs.push({ url, file, isThere: await checkFile(url, file, taken, flags, urls.length > 1) });
  }
  return jobs;
}

async function namesOf(urls: readonly URL[], { output, continue: continues }: GetFlags) {
  const several = urls.length > 1;
  const folder = several && output === undefined ? '' : await folderOf(output, several);
  if (folder !== null) {
    return urls.map((url) => ({ url, file: join(folder, fileNameOf(url)) }));
  }
  if (output === undefined && continues) {
    throw new SallyportError('USAGE', '--continue goes on in a file, and none is named', {
      hint: 'Name it with -o.',
    });
  }
  const file = output === undefined || output === '-' ? null : output;
  return urls.map((url) => ({ url, file }));
}

async function folderOf(output: string | undefined, several: boolean): Promise<string | null> {
  if (output === undefined) {
    return null;
  }
  const isNamedSo = /\/$/.test(output) || (process.platform === 'win32' && output.endsWith('\\'));
  if (!isNamedSo && !several) {
    return null;
  }
  const there = await stat(output.replace(/[/\\]+$/, '') || output).catch(() => null);
  if (there?.isDirectory() === true || (isNamedSo && there === null)) {
    return output;
  }
  if (isNamedSo) {
    throw new SallyportError('USAGE', `-o ${output} is no folder`, {
      hint: 'Name a folder that is there, or a file without the slash.',
    });
  }
  throw new SallyportError('USAGE', '-o names one file, and several addresses are given', {
    hint: 'Name a folder that is there, as -o downloads/, or leave -o out.',
  });
}

/**
 * @param taken what is written for addresses before this one
 * @returns whether the file is there, and nothing unfinished beside it
 */
async function checkFile(
  url: URL,
  file: string | null,
  taken: Map<string, URL>,
  flags: GetFlags,
  several: boolean,
): Promise<boolean> {
  if (file === null) {
    return false;
  }
  const place = await findPlace(file);
  const { target, isBeside, exists } = place;
  const part = partOf(target);
  const places = isBeside ? [target, part, recordOf(part), lockOf(target)] : [];
  await checkUpload(places, file, flags.uploadFile);
  await checkWritable(file, place);
  const written = places.map(comparable);
  const other = written.map((path) => taken.get(path)).find((found) => found !== undefined);
  if (other !== undefined) {
    // Where only the query tells them apart, it is shown: it stands in the command as it is.
    const told = shown(other) === shown(url) ? ({ href }: URL) => href : shown;
    throw new SallyportError('USAGE', `${told(other)} and ${told(url)} would both be ${file}`, {
      hint: 'Download them one by one, with -o.',
    });
  }
  for (const path of written) {
    taken.set(path, url);
  }
  if (!flags.continue) {
    return false;
  }
  if (!isBeside) {
    throw new SallyportError('USAGE', `--continue goes on in a file, and ${file} is none`);
  }
  const hasPart = (await stat(part).catch(() => null)) !== null;
  if (exists && !hasPart && flags.sha256 === undefined && !several) {
    throw new SallyportError('USAGE', `${file} is there already, and no part of it to go on with`, {
      hint: 'Leave --continue out to download it again; with --sha256 it is looked at first.',
    });
  }
  return exists && !hasPart;
}

/** The answer would be written over what is sent, or in place of it: by whatever name, it is the same file. */
async function checkUpload(
  places: readonly string[],
  file: string,
  uploadFile: string | undefined,
): Promise<void> {
  const sent = uploadFile === undefined || uploadFile === '-' ? null : await identityOf(uploadFile);
  if (sent === null) {
    return;
  }
  for (const place of places) {
    if ((await identityOf(place)) === sent) {
      const how = place === places[0] ? 'replace' : 'be written by way of';
      throw new SallyportError(
        'USAGE',
        `The answer in ${file} would ${how} ${uploadFile}, which is to be sent`,
        {
          hint: 'Name another file with -o, or leave it out for standard output.',
        },
      );
    }
  }
}

/** Which file it is, links followed; `null` where there is none. */
async function identityOf(path: string): Promise<string | null> {
  const there = await stat(path, { bigint: true }).catch(() => null);
  return there === null ? null : `${there.dev} ${there.ino}`;
}

/** Two names that are one file where case does not count. */
function comparable(path: string): string {
  const full = resolve(path);
  return process.platform === 'win32' || process.platform === 'darwin' ? full.toLowerCase() : full;
}

/** For messages: a query may hold a secret. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
