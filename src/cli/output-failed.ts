// The error of an output that cannot be written, in words for the usual cases.
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';

export const STANDARD_OUTPUT = 'standard output';

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOENT: 'its directory does not exist',
  EPIPE: 'its reader has gone',
  EISDIR: 'a directory has that name',
};

/** Another file there would fare no better. */
const IS_FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Says what the operating system said.
 *
 * @param place a file, or `STANDARD_OUTPUT`
 */
export function outputFailed(place: string, cause: unknown): SallyportError {
  if (cause instanceof SallyportError) {
    return cause;
  }
  const code = errorWord(cause);
  return new SallyportError('OUTPUT_FAILED', `Cannot write ${place}: ${WORDS[code] ?? code}`, {
    cause,
    ...hintFor(place, code),
  });
}

/** What is there already cannot be read, to be continued or compared. */
export function readFailed(place: string, cause: unknown): SallyportError {
  if (cause instanceof SallyportError) {
    return cause;
  }
  const code = errorWord(cause);
  return new SallyportError('OUTPUT_FAILED', `Cannot read ${place}: ${WORDS[code] ?? code}`, {
    cause,
    hint: 'Leave --continue out, or name another file with -o.',
  });
}

function hintFor(place: string, code: string): { hint?: string } {
  if (code === 'ENOSPC') {
    return { hint: 'Make room and try again.' };
  }
  if (place === STANDARD_OUTPUT) {
    return {};
  }
  if (code === 'ENOENT') {
    return { hint: 'Create that folder, or name another file with -o.' };
  }
  return IS_FORBIDDEN.has(code)
    ? { hint: 'Name a file in another folder with -o, or another folder as -o DIR/.' }
    : { hint: 'Name another file with -o.' };
}
