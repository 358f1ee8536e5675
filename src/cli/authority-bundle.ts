// One PEM file with every authority we trust, for programs that bring their own list and can only be told another. Owns the
// private folder these files lie in, their names by content, and their end.
import { createHash, randomBytes } from 'node:crypto';
import {
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { isPrivate, makeFolder } from '../settings/own-folder.ts';
import type { StatePlace } from '../settings/state-path.ts';
import type { Trust } from '../upstream/certificate-authorities.ts';

/** Nobody's program runs so long without another `run` of the same certificates. */
const UNUSED_MS = 30 * 24 * 60 * 60_000;
/** A file that is used is touched, but not each time. */
const TOUCHED_MS = 24 * 60 * 60_000;
const BUNDLE = /^authorities-[0-9a-f]{64}\.pem$/;
const OURS = /^(?:authorities|sources)-[0-9a-f]{64}\.(?:pem|txt)(?:\..*)?$/;
/** What stands in place of a bundle's name when Node's own authorities are all there are. */
const NONE = 'none';

/**
 * The file, written when there is none of this content. What it is made of is read only when one of these files changed since:
 * reading all of it takes as long as starting Node does.
 *
 * @param place where the folder may be made; `undefined` where there is no home
 * @returns `undefined` when nothing is trusted beside what Node brings along, or nothing can be written
 */
export async function authorityBundle(
  trust: Pick<Trust, 'added' | 'files'>,
  place: StatePlace | undefined,
): Promise<string | undefined> {
  if (place === undefined) {
    return undefined;
  }
  const folder = join(place.folder, 'certificates');
  try {
    const state = stateOf(await trust.files());
    const note = state === null ? null : join(folder, `sources-${digestOf(state)}.txt`);
    const known = note === null ? undefined : recall(folder, note);
    if (known !== undefined) {
      return known === NONE ? undefined : join(folder, known);
    }
    makeFolder({ folder, within: place.within });
    if (!isPrivate(folder, 'folder')) {
      return undefined;
    }
    const name = keep(folder, await trust.added());
    if (note !== null) {
      writeWhole(note, name);
    }
    collectOld(folder);
    return name === NONE ? undefined : join(folder, name);
  } catch {
    // A full disk, a home that cannot be written: the program has its own authorities, as without us.
    return undefined;
  }
}

/** Which Node this is, and the state of the files; `null` when it cannot be told without reading the store. */
function stateOf(files: readonly string[] | null): string | null {
  if (files === null) {
    return null;
  }
  const states = files.map((file) => {
    const about = statSync(file, { bigint: true, throwIfNoEntry: false });
    return about === undefined ? null : [about.ino, about.size, about.mtimeNs].map(String);
  });
  return JSON.stringify([process.version, files.map((file) => resolve(file)), states]);
}

/** What was found for this state. What others could change would be trusted: it counts as unknown. */
function recall(folder: string, note: string): string | undefined {
  if (!(isPrivate(folder, 'folder') && isPrivate(note, 'file'))) {
    return undefined;
  }
  const name = readFileSync(note, 'utf8');
  const file = join(folder, name);
  if (name !== NONE && !(BUNDLE.test(name) && isPrivate(file, 'file'))) {
    return undefined;
  }
  touch(note);
  if (name !== NONE) {
    touch(file);
  }
  return name;
}

/** @returns the name of the bundle, or `NONE` */
function keep(folder: string, added: readonly string[]): string {
  if (added.length === 0) {
    return NONE;
  }
  const text = `${[...rootCertificates, ...added].map((pem) => pem.trim()).join('\n')}\n`;
  const name = `authorities-${digestOf(text)}.pem`;
  const file = join(folder, name);
  if (isPrivate(file, 'file') && lstatSync(file).size === Buffer.byteLength(text)) {
    touch(file);
  } else {
    writeWhole(file, text);
  }
  return name;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
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

function collectOld(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => OURS.test(one))) {
    const file = join(folder, name);
    if ((ageOf(file) ?? 0) > UNUSED_MS) {
      rmSync(file, { force: true });
    }
  }
}

function touch(file: string): void {
  if ((ageOf(file) ?? 0) > TOUCHED_MS) {
    utimesSync(file, new Date(), new Date());
  }
}

function ageOf(file: string): number | undefined {
  const about = statSync(file, { throwIfNoEntry: false });
  return about === undefined ? undefined : Date.now() - about.mtimeMs;
}
