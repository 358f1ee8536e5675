// A short list of names that a command keeps beside the configuration file: a JSON array of strings. Owns that it is
// read strictly and replaced whole; what the names mean is the caller's. No secret belongs in one.
import { rm } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { findDefaultConfigPath } from './config-path.ts';
import { readBounded } from './read-bounded.ts';
import { replaceFile } from './replace-file.ts';

const MAX_BYTES = 64 * 1024;
/** A host and a port. */
const NAME = /^[^\s/@?#*\p{Cc}]{1,300}$/u;

/** The path of such a file of this user; `undefined` when the environment names no home. */
export function nameFilePath(
  fileName: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): string | undefined {
  const config = findDefaultConfigPath(env, platform);
  const path = platform === 'win32' ? win32 : posix;
  return config === undefined ? undefined : path.join(path.dirname(config), fileName);
}

/**
 * The names, or none when there is no file.
 *
 * @throws SallyportError CONFIG_INVALID
 */
export async function readNames(path: string): Promise<readonly string[]> {
  let bytes: Buffer | null;
  try {
    bytes = await readBounded(path, MAX_BYTES);
  } catch (error) {
    return absentOr(path, error);
  }
  const names = bytes === null ? undefined : parseNames(bytes.toString('utf8'));
  if (names === undefined) {
    throw new SallyportError('CONFIG_INVALID', `${path} is not a JSON array of host names`, {
      hint: 'Mend it, or remove it: a command of sallyport made it and makes it anew.',
    });
  }
  return names;
}

/**
 * Replaces the file, so that whoever reads it sees all of it or what was there before; an empty list removes it.
 * A file that is a link stays one.
 *
 * @throws SallyportError OUTPUT_FAILED
 */
export async function writeNames(path: string, names: readonly string[]): Promise<void> {
  try {
    if (names.length === 0) {
      await rm(path, { force: true });
      return;
    }
    await replaceFile(path, `${JSON.stringify(names, null, 2)}\n`);
  } catch (error) {
    throw notWritten(path, error);
  }
}

function absentOr(path: string, cause: unknown): readonly string[] {
  const word = errorWord(cause);
  if (word === 'ENOENT' || word === 'ENOTDIR') {
    return [];
  }
  throw new SallyportError('CONFIG_INVALID', `${path} cannot be read (${word})`, { cause });
}

function notWritten(path: string, cause: unknown): SallyportError {
  return new SallyportError('OUTPUT_FAILED', `${path} cannot be written (${errorWord(cause)})`, {
    cause,
    hint: 'Check who may write in that folder, and that the disk is not full.',
  });
}

/** Nothing is quoted from the text: it may be any file. */
export function parseNames(text: string): readonly string[] | undefined {
  try {
    // Windows editors write a byte order mark.
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return Array.isArray(value) && value.every((one) => typeof one === 'string' && NAME.test(one))
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
