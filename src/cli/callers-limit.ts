// The soft limit of open files that whoever called has: Node raises its own to the hard one as it starts, and a program of `run`
// would inherit that. Programs that close all descriptors up to the limit, or use select(), suffer from a high one. Owns how a
// program gets the caller's. Linux only: elsewhere nobody tells what it was.
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Of util-linux. By exec, so that process, streams and environment are the program's own. */
const PRLIMIT = '/usr/bin/prlimit';

/**
 * @param words the program and its arguments
 * @param path where programs are looked for
 * @returns the words that start it under that limit, or the same ones: where nothing was raised, and where there is no such
 *   program, which is for whoever starts it to find out
 */
export function underCallersLimit(
  words: readonly string[],
  path: string | undefined,
): readonly string[] {
  const soft = callersLimit();
  const [command = ''] = words;
  return soft !== null && isProgram(PRLIMIT) && isFound(command, path)
    ? [PRLIMIT, `--nofile=${soft}:`, '--', ...words]
    : words;
}

/** @returns `null` where this process has no more */
function callersLimit(): number | null {
  const [theirs, ours] = [softLimitOf(`${process.ppid}`), softLimitOf('self')];
  return theirs !== null && ours !== null && theirs < ours ? theirs : null;
}

function softLimitOf(process: string): number | null {
  try {
    const limits = readFileSync(`/proc/${process}/limits`, 'latin1');
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    // No Linux, or another user's process: the program gets what there is.
    return null;
  }
}

function isFound(command: string, path: string | undefined): boolean {
  if (command.includes('/')) {
    return isProgram(command);
  }
  const folders = (path ?? '').split(delimiter);
  return command !== '' && folders.some((folder) => isProgram(join(folder || '.', command)));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
