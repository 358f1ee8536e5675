// A small text file that processes of one user share. Owns its safety: whose it is, who may write it, whole or not at
// all. What stands in it is the caller's.
import { randomBytes } from 'node:crypto';
import type { BigIntStats, Stats } from 'node:fs';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isOwn, makeFolder } from '../../settings/own-folder.ts';
import type { StatePlace } from '../../settings/state-path.ts';
import { withLock } from './file-lock.ts';

/** A longer file is not ours. */
const MAX_STATE_BYTES = 256 * 1024;
/** Temporary files of this age were left by a process that died. */
const LEFT_BEHIND_MS = 60_000;
/** How long a rename is tried on Windows, where whoever reads the file is in its way: another process, a scanner. */
const RENAME_WAIT_MS = 1000;
const RENAME_PAUSE_MS = 2;
/** Without O_NONBLOCK a FIFO in its place would wait for its writer; Windows has neither flag. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export class StateFile {
  readonly path: string;
  readonly #place: StatePlace;
  readonly #name: string;
  #known: { readonly stamp: string; readonly text: string } | null = null;
  #hasTidied = false;

  constructor(place: StatePlace, name: string) {
    this.#place = place;
    this.#name = name;
    this.path = join(place.folder, name);
  }

  /**
   * The text as it stands; empty when there is none. One `lstat` when it did not change.
   *
   * @throws Error when it is no plain file of this user's that only the user can write
   */
  async read(): Promise<string> {
    const found = standingOf(this.path);
    if (found === null) {
      this.#known = null;
      return '';
    }
    const stamp = [found.dev, found.ino, found.size, found.mtimeNs].join(' ');
    if (this.#known?.stamp !== stamp) {
      this.#known = { stamp, text: readOwn(this.path) };
    }
    return this.#known.text;
  }

  /**
   * Replaces the text while no other process does. The folder is created where that is allowed.
   *
   * @param update the text as it stands -> the next one, or `null` to leave it, and what to return
   * @throws Error as `read`, when the lock cannot be had, or the disk is full or read-only: nothing is changed then
   */
  async change<T>(update: (text: string) => readonly [next: string | null, result: T]): Promise<T> {
    makeFolder(this.#place);
    return withLock(`${this.path}.lock`, () => this.#replace(update));
  }

  /** The same for a process that is about to end: without the lock, since nobody can wait any more. */
  changeAtExit(update: (text: string) => readonly [next: string | null, result: unknown]): void {
    makeFolder(this.#place);
    this.#replace(update);
  }

  #replace<T>(update: (text: string) => readonly [next: string | null, result: T]): T {
    const [next, result] = update(readOwn(this.path));
    if (next !== null) {
      this.#tidy();
      writeWhole(this.path, next);
    }
    return result;
  }

  #tidy(): void {
    if (this.#hasTidied) {
      return;
    }
    this.#hasTidied = true;
    const { folder } = this.#place;
    const isTemporary = (name: string): boolean =>
      name.startsWith(`${this.#name}.`) && name.endsWith('.tmp');
    for (const name of readdirSync(folder).filter(isTemporary)) {
      const about = statSync(join(folder, name), { throwIfNoEntry: false });
      if (about !== undefined && Date.now() - about.mtimeMs > LEFT_BEHIND_MS) {
        rmSync(join(folder, name), { force: true });
      }
    }
  }
}

/** Not by a thread of the pool: each sign-on asks three times, and the way there and back costs ten times the question. */
function standingOf(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    return absent(error as NodeJS.ErrnoException);
  }
}

/** At one go: on Windows nobody can replace the file while it is open. */
function readOwn(path: string): string {
  let file: number;
  try {
    file = openSync(path, READ_FLAGS);
  } catch (error) {
    absent(error as NodeJS.ErrnoException);
    return '';
  }
  try {
    checkOwn(path, fstatSync(file));
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function checkOwn(path: string, about: Stats): void {
  if (!about.isFile()) {
    throw new Error(`${path} is not a file`);
  }
  if (!isOwn(about) || (process.getuid !== undefined && (about.mode & 0o022) !== 0)) {
    throw new Error(`${path} belongs to another user, or can be written by others`);
  }
  if (about.size > MAX_STATE_BYTES) {
    throw new Error(`${path} is too large`);
  }
}

/** By rename: a reader, or a crash, finds the old text or the new one. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    renameOver(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function renameOver(from: string, to: string): void {
  const deadline = performance.now() + RENAME_WAIT_MS;
  for (;;) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      const isBusy = process.platform === 'win32' && /^(EPERM|EBUSY|EACCES)$/.test(code);
      if (!isBusy || performance.now() > deadline) {
        throw error;
      }
      stand(RENAME_PAUSE_MS);
    }
  }
}

/** Stops this thread: the lock is held, and a process that is about to end has no other way to wait. */
function stand(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return null;
  }
  throw error;
}
