// Where a download goes: standard output, or a file that is complete or not there. Owns the rename.
import { access, constants, open, realpath, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { outputFailed } from './output-failed.ts';
import { checkFree, claimPart, partOf } from './part-file.ts';
import { print } from './print.ts';

export interface Destination {
  /** @throws SallyportError OUTPUT_FAILED */
  write(piece: Uint8Array): Promise<void>;
  /** Ends the writing. Only a complete download becomes the file; what there is of another stays in `.part`. */
  close(isComplete: boolean): Promise<void>;
}

/**
 * Finds out before the first byte is asked for that the file cannot be written.
 *
 * @throws SallyportError OUTPUT_FAILED
 */
export async function checkWritable(file: string): Promise<void> {
  try {
    const { target, isBeside } = await resolveTarget(file);
    await access(isBeside ? dirname(target) : target, constants.W_OK);
    if (isBeside) {
      checkFree(file, target);
    }
  } catch (cause) {
    throw outputFailed(file, cause);
  }
}

/** Writes beside the file and renames when complete: whoever sees the file sees all of it. */
export async function fileDestination(file: string): Promise<Destination> {
  const failed = (cause: unknown): never => {
    throw outputFailed(file, cause);
  };
  const { target, isBeside } = await resolveTarget(file).catch(failed);
  if (!isBeside) {
    const handle = await open(target, 'w').catch(failed);
    return {
      write: (piece) => handle.writeFile(piece).catch(failed),
      close: () => handle.close().catch(failed),
    };
  }
  const release = await claimPart(file, target).catch(failed);
  const part = partOf(target);
  const handle = await open(part, 'w').catch((cause) => {
    release();
    return failed(cause);
  });
  return {
    write: (piece) => handle.writeFile(piece).catch(failed),
    close: async (isComplete) => {
      try {
        await handle.close();
        if (isComplete) {
          await rename(part, target);
        }
      } catch (cause) {
        throw isGone(cause) ? lost(file, part, cause) : outputFailed(file, cause);
      } finally {
        release();
      }
    },
  };
}

function isGone(cause: unknown): boolean {
  return errorWord(cause) === 'ENOENT';
}

function lost(file: string, part: string, cause: unknown): SallyportError {
  return new SallyportError('OUTPUT_FAILED', `Cannot write ${file}: ${part} was taken away`, {
    cause,
    hint: 'Try again, or name another file with -o.',
  });
}

/** What is no regular file, such as a device or a pipe, is written as it is; a link is followed. */
async function resolveTarget(file: string): Promise<{ target: string; isBeside: boolean }> {
  const there = await stat(file).catch(() => null);
  if (there === null) {
    return { target: file, isBeside: true };
  }
  if (there.isDirectory()) {
    throw new SallyportError('OUTPUT_FAILED', `${file} is a directory`, {
      hint: 'Name a file with -o.',
    });
  }
  return { target: await realpath(file), isBeside: there.isFile() };
}

export function standardOutput(): Destination {
  return { write: print, close: async () => undefined };
}
