// Where a download goes: standard output, a device or pipe, or a file that is complete or not there. Owns the choice, and
// the finding out before the first byte that it cannot be written.
import { access, constants, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { Destination } from './destination.ts';
import { outputFailed } from './output-failed.ts';
import { PartDestination } from './part-destination.ts';
import { checkFree, checkPart } from './part-file.ts';
import { PipeDestination } from './pipe-destination.ts';
import { DeviceDestination, StandardOutput } from './stream-destination.ts';

/**
 * Finds out before the first byte is asked for that the file cannot be written.
 *
 * @throws SallyportError OUTPUT_FAILED
 */
export async function checkWritable(file: string, { target, isBeside }: Place): Promise<void> {
  try {
    await access(isBeside ? dirname(target) : target, constants.W_OK);
    if (isBeside) {
      checkFree(file, target);
      checkPart(file, target);
    }
  } catch (cause) {
    throw outputFailed(file, cause);
  }
}

/**
 * @param file as the user named it; `null` is standard output
 * @param continues whether what is in its `.part` counts
 * @throws SallyportError OUTPUT_FAILED
 */
export async function openDestination(
  file: string | null,
  continues: boolean,
): Promise<Destination> {
  if (file === null) {
    return new StandardOutput();
  }
  const { target, isBeside, isPipe } = await findPlace(file);
  if (isPipe) {
    return new PipeDestination(target);
  }
  return isBeside ? PartDestination.open(file, target, continues) : new DeviceDestination(target);
}

/** Where the bytes of a file come to lie. */
export interface Place {
  /** The file itself, links followed; a device or a pipe as it was named. */
  readonly target: string;
  /** Whether it is written by way of `.part`. */
  readonly isBeside: boolean;
  /** Whether bytes wait in it for a reader. */
  readonly isPipe: boolean;
  readonly exists: boolean;
}

/**
 * What is no regular file, such as a device or a pipe, is written as it is; a link is followed.
 *
 * @throws SallyportError OUTPUT_FAILED for a directory
 */
export async function findPlace(file: string): Promise<Place> {
  const there = await stat(file).catch(() => null);
  if (there === null) {
    return { target: file, isBeside: true, isPipe: false, exists: false };
  }
  if (there.isDirectory()) {
    throw new SallyportError('OUTPUT_FAILED', `${file} is a directory`, {
      hint: 'Name a file with -o, or write a slash behind it to take the name from the address.',
    });
  }
  if (!there.isFile()) {
    // `/dev/stdout` leads to a pipe without a path.
    return { target: file, isBeside: false, isPipe: there.isFIFO(), exists: true };
  }
  const target = await realpath(file).catch((cause) => {
    throw outputFailed(file, cause);
  });
  return { target, isBeside: true, isPipe: false, exists: true };
}
