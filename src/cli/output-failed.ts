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
};

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

function hintFor(place: string, code: string): { hint?: string } {
  if (code === 'ENOSPC') {
    return { hint: 'Make room and try again.' };
  }
  return place === STANDARD_OUTPUT ? {} : { hint: 'Name another file with -o.' };
}
