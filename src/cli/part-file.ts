// The file a download is written to until it is complete, for one command at a time. Owns its name and the lock beside it,
// which one that was killed leaves behind and the next one takes away.
import type { Stats } from 'node:fs';
import { constants, lstatSync, rmSync, utimesSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { ageOf, readMark, tryCreate, withLock } from '../auth/logons/file-lock.ts';
import { isRunning, ownMark } from '../auth/logons/process-mark.ts';
import { SallyportError } from '../errors/sallyport-error.ts';

/** Whoever sees the file may see whose it is: the umask decides. */
const LOCK_MODE = 0o666;
/** The mark follows the lock in the same turn: a lock without one was left by a process that died between. */
const UNMARKED_MS = 1000;
/** A download is given up when it was silent for 120 s, so a file that nobody touched for longer is nobody's. */
const UNTOUCHED_MS = 180_000;

/** A `.part` that is this process's. */
export interface Claim {
  /** Tells those who cannot see this process that it is still there. */
  touch(): void;
  release(): void;
}

export function partOf(target: string): string {
  return `${target}.part`;
}

/** @param target the file itself, links followed */
export function lockOf(target: string): string {
  return `${partOf(target)}.lock`;
}

/**
 * Takes the `.part` of a file for this process, until it ends or gives it back.
 *
 * @param file as the user named it
 * @param target the file itself, links followed
 * @throws SallyportError OUTPUT_FAILED when another command writes it; Error when the lock cannot be made
 */
export async function claimPart(file: string, target: string): Promise<Claim> {
  const lock = lockOf(target);
  if (!tryCreate(lock, LOCK_MODE)) {
    await breakAbandoned(file, target);
    if (!tryCreate(lock, LOCK_MODE)) {
      throw isWritten(file, target);
    }
  }
  const release = (): void => {
    process.off('exit', release);
    if (isOwn(lock)) {
      rmSync(lock, { force: true });
    }
  };
  // Ctrl-C and the like end the process without going through the download.
  process.on('exit', release);
  return { release, touch: () => touch(lock) };
}

/**
 * @param flags of open(2), beside those that keep it from being led elsewhere
 * @throws SallyportError OUTPUT_FAILED for what is no regular file, Error of the file system
 */
export async function openPart(file: string, target: string, flags: number): Promise<FileHandle> {
  const part = partOf(target);
  // A link that somebody laid there would give its file to us; a pipe would wait for its reader. Windows knows neither flag.
  const here = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(part, flags | here).catch((cause) => {
    checkPart(file, target);
    throw cause;
  });
  try {
    checkRegular(file, part, await handle.stat());
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

/** @throws SallyportError OUTPUT_FAILED where something else has the name of the `.part` */
export function checkPart(file: string, target: string): void {
  const part = partOf(target);
  checkRegular(file, part, lstatSync(part, { throwIfNoEntry: false }));
}

function checkRegular(file: string, path: string, about: Stats | undefined): void {
  if (about?.isFile() === false) {
    throw new SallyportError('OUTPUT_FAILED', `Cannot write ${file}: ${path} is ${kindOf(about)}`, {
      hint: 'Look at it and take it away, or name another file with -o.',
    });
  }
}

function kindOf(about: Stats): string {
  if (about.isDirectory()) {
    return 'a directory';
  }
  return about.isSymbolicLink() ? 'a link' : 'no regular file';
}

function touch(lock: string): void {
  const now = new Date();
  try {
    utimesSync(lock, now, now);
  } catch {
    // Taken away: whoever did that has a reason, and the part is written all the same.
  }
}

/** @throws SallyportError OUTPUT_FAILED when another command writes the `.part` of this file */
export function checkFree(file: string, target: string): void {
  if (isHeld(file, target)) {
    throw isWritten(file, target);
  }
}

/** Looked at again while nobody else breaks it: between look and removal it may have become another's. */
async function breakAbandoned(file: string, target: string): Promise<void> {
  if (isHeld(file, target)) {
    return;
  }
  const lock = lockOf(target);
  await withLock(`${lock}.break`, () => {
    if (!isHeld(file, target)) {
      rmSync(lock, { force: true });
    }
  });
}

/** @throws SallyportError OUTPUT_FAILED where something else has the name of the lock */
function isHeld(file: string, target: string): boolean {
  const lock = lockOf(target);
  const age = ageOf(lock);
  if (age === null) {
    return false;
  }
  const mark = readMark(lock);
  if (mark === null) {
    checkUnmarked(file, lock);
    return age < UNMARKED_MS;
  }
  // One of another machine, or container, cannot be looked at.
  return isRunning(mark) ?? Math.min(age, ageOf(partOf(target)) ?? age) < UNTOUCHED_MS;
}

/** A lock that has no mark yet is empty; whatever has a content of its own is somebody's. */
function checkUnmarked(file: string, lock: string): void {
  const about = lstatSync(lock, { throwIfNoEntry: false });
  checkRegular(file, lock, about);
  if (about !== undefined && about.size > 0 && readMark(lock) === null) {
    throw new SallyportError(
      'OUTPUT_FAILED',
      `Cannot write ${file}: ${lock} is there, and is no lock of Sallyport`,
      { hint: 'Look at it and take it away, or name another file with -o.' },
    );
  }
}

function isOwn(lock: string): boolean {
  const mark = readMark(lock);
  const { pid, start, space } = ownMark();
  return mark?.pid === pid && mark.start === start && mark.space === space;
}

function isWritten(file: string, target: string): SallyportError {
  return new SallyportError(
    'OUTPUT_FAILED',
    `Cannot write ${file}: another command is writing ${partOf(target)}`,
    { hint: 'Wait until it is done, or name another file with -o.' },
  );
}
