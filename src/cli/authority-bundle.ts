// One PEM file with every authority we trust, for programs that bring their own list and can only be told another. Owns the
// private folder these files lie in, their names by content, and their end.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { isPrivate, makeFolder } from '../settings/own-folder.ts';
import type { StatePlace } from '../settings/state-path.ts';

/** Nobody's program runs so long without another `run` of the same certificates. */
const UNUSED_MS = 30 * 24 * 60 * 60_000;
/** A file that is used is touched, but not each time. */
const TOUCHED_MS = 24 * 60 * 60_000;
const OURS = /^authorities-[0-9a-f]{64}\.pem(?:\..*)?$/;

/**
 * @param added PEM, one certificate each, beside those Node brings along
 * @param place where the folder may be made; `undefined` where there is no home
 * @returns the file, or `undefined` when nothing is added, or nothing can be written
 */
export function writeAuthorityBundle(
  added: readonly string[],
  place: StatePlace | undefined,
): string | undefined {
  if (added.length === 0 || place === undefined) {
    return undefined;
  }
  const text = `${[...rootCertificates, ...added].map((pem) => pem.trim()).join('\n')}\n`;
  const digest = createHash('sha256').update(text).digest('hex');
  const folder = join(place.folder, 'certificates');
  const file = join(folder, `authorities-${digest}.pem`);
  try {
    return keep(file, text, folder, place) ? file : undefined;
  } catch {
    // A full disk, a home that cannot be written: the program has its own authorities, as without us.
    return undefined;
  }
}

/** @returns whether it may be used: what others could change would be trusted */
function keep(file: string, text: string, folder: string, { within }: StatePlace): boolean {
  makeFolder({ folder, within });
  if (!isPrivate(folder, 'folder')) {
    return false;
  }
  const age = ageOf(file);
  if (age === undefined) {
    writeWhole(file, text);
    collectOld(folder, file);
  } else if (age > TOUCHED_MS) {
    utimesSync(file, new Date(), new Date());
  }
  return isPrivate(file, 'file') && statSync(file).size === Buffer.byteLength(text);
}

/** By rename: whoever reads it finds all of it. */
function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function collectOld(folder: string, used: string): void {
  const files = readdirSync(folder)
    .filter((name) => OURS.test(name))
    .map((name) => join(folder, name));
  for (const file of files) {
    const age = file === used ? undefined : ageOf(file);
    if (age !== undefined && age > UNUSED_MS) {
      rmSync(file, { force: true });
    }
  }
}

function ageOf(file: string): number | undefined {
  const about = statSync(file, { throwIfNoEntry: false });
  return about === undefined ? undefined : Date.now() - about.mtimeMs;
}
