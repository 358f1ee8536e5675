// One process at a time: a lock file with its owner's mark in it. Owns waiting for it and the breaking of locks whose
// owner is gone; knows nothing of what is guarded.
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessMark } from './process-mark.ts';
import { isRunning, ownMark } from './process-mark.ts';

/** How long to wait for others; each holds it for less than a millisecond. */
const LOCK_WAIT_MS = 2000;
/** A lock this old is nobody's, whatever its mark says: its owner may live where this process cannot look. */
const LOCK_STALE_MS = 10_000;
/** A lock without a mark is about to get one, or its owner died before. */
const LOCK_UNMARKED_MS = 1000;

/**
 * Runs `work` while no other process does under the same path. Only the waiting is asynchronous: work that gives the
 * thread away would hold the lock for as long as a busy machine lets it stand.
 *
 * @throws Error when the lock cannot be had within 2 s, or its file not be made; the work has not begun then
 */
export async function withLock<T>(
  path: string,
  work: () => T,
  waitMs: number = LOCK_WAIT_MS,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  while (!tryCreate(path)) {
    breakStale(path);
    if (performance.now() > deadline) {
      throw new Error(`${path} is held by another process`);
    }
    await pause(2 + Math.random() * 15);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true, maxRetries: 3 });
  }
}

/**
 * Makes a file with the mark of this process in it.
 *
 * @returns false when it is there already
 * @throws Error when it cannot be made
 */
export function tryCreate(path: string, mode = 0o600): boolean {
  const file = openNew(path, mode);
  if (file === null) {
    return false;
  }
  try {
    writeSync(file, JSON.stringify(ownMark()));
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function openNew(path: string, mode: number): number | null {
  try {
    return openSync(path, 'wx', mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Windows says EPERM while the file is being deleted.
    if (code === 'EEXIST' || (process.platform === 'win32' && code === 'EPERM')) {
      return null;
    }
    throw error;
  }
}

/** Looked at again under a lock of its own: between look and removal the lock may have become another's. */
function breakStale(path: string): void {
  if (!isStale(path)) {
    return;
  }
  const second = `${path}.break`;
  if (!tryCreate(second)) {
    if ((ageOf(second) ?? 0) > LOCK_STALE_MS) {
      rmSync(second, { force: true });
    }
    return;
  }
  try {
    if (isStale(path)) {
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(second, { force: true });
  }
}

function isStale(path: string): boolean {
  const age = ageOf(path) ?? 0;
  const mark = readMark(path);
  return mark === null ? age > LOCK_UNMARKED_MS : age > LOCK_STALE_MS || isRunning(mark) === false;
}

/** Milliseconds since it was written; `null` when it is not there. */
export function ageOf(path: string): number | null {
  const about = statSync(path, { throwIfNoEntry: false });
  return about === undefined ? null : Date.now() - about.mtimeMs;
}

/** Whose it is; `null` where nobody's mark can be read in it. */
export function readMark(path: string): ProcessMark | null {
  try {
    const { pid, start, space } = JSON.parse(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) ? { pid, start: String(start), space: String(space) } : null;
  } catch {
    return null;
  }
}
