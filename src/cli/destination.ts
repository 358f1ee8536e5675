// Where a download goes: standard output, or a file that is complete or not there. Owns `.part`, the rename and the
// words for a full disk.
import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { access, constants, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { SallyportError } from '../errors/sallyport-error.ts';

export interface Destination {
  readonly stream: Writable;
  /** Called when all bytes are written: makes the file whole. */
  complete(): Promise<void>;
}

/**
 * Finds out before the first byte is asked for that the file cannot be written.
 *
 * @throws SallyportError OUTPUT_FAILED
 */
export async function checkWritable(file: string): Promise<void> {
  try {
    if ((await stat(file).catch(() => null))?.isDirectory()) {
      throw new SallyportError('OUTPUT_FAILED', `${file} is a directory`, {
        hint: 'Name a file with -o.',
      });
    }
    await access(dirname(file), constants.W_OK);
  } catch (cause) {
    throw outputFailed(file, cause);
  }
}

/** Writes beside the file and renames when complete: whoever sees the file sees all of it. */
export function fileDestination(file: string): Destination {
  const part = `${file}.part`;
  const stream: WriteStream = createWriteStream(part);
  return {
    stream,
    complete: () => rename(part, file).catch((cause) => Promise.reject(outputFailed(file, cause))),
  };
}

export function standardOutput(): Destination {
  // The process keeps its standard output: ending it is not ours.
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      process.stdout.write(chunk, callback);
    },
  });
  return { stream, complete: async () => undefined };
}

/** Says what the operating system said, in words for the usual cases. */
export function outputFailed(file: string, cause: unknown): SallyportError {
  if (cause instanceof SallyportError) {
    return cause;
  }
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const words: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota is used up',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOENT: 'its directory does not exist',
  };
  return new SallyportError('OUTPUT_FAILED', `Cannot write ${file}: ${words[code] ?? code}`, {
    cause,
    hint:
      code === 'ENOSPC'
        ? `Make room and try again; what has arrived is in ${file}.part.`
        : 'Name another file with -o.',
  });
}
