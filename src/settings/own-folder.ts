// Folders for files of this user alone. Owns the making, and the judgement whether one may be used.
import type { Stats } from 'node:fs';
import { existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StatePlace } from './state-path.ts';

/**
 * Never the home itself, and nothing in a folder of somebody else's, where it would lock that user out.
 *
 * @throws Error when it may not be made, or cannot
 */
export function makeFolder({ folder, within }: StatePlace): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return;
  }
  const home = statSync(within);
  const isShared = (home.mode & 0o1000) !== 0;
  if (!home.isDirectory() || !(isOwn(home) || isShared)) {
    throw new Error(`${within} is not a folder of this user`);
  }
  makeWithParents(folder);
}

/** Node's own `recursive` never ends where a system makes no folders, such as /proc or a folder of autofs. */
function makeWithParents(folder: string): void {
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) {
    makeWithParents(parent);
  }
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it just now.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}

/** Whether it is there, this user's, and for nobody else to change. A symbolic link is neither file nor folder. */
export function isPrivate(path: string, kind: 'file' | 'folder'): boolean {
  const about = lstatSync(path, { throwIfNoEntry: false });
  return (
    about !== undefined &&
    (kind === 'file' ? about.isFile() : about.isDirectory()) &&
    isOwn(about) &&
    (process.getuid === undefined || (about.mode & 0o022) === 0)
  );
}

export function isOwn({ uid }: Stats): boolean {
  return process.getuid === undefined || process.getuid() === uid;
}
