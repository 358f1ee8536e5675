// The SHA-256 of a file that is there.
import { createReadStream } from 'node:fs';
import { Digest } from './digest.ts';
import { readFailed } from './output-failed.ts';

const READ_BYTES = 1_048_576;

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** @throws SallyportError OUTPUT_FAILED when it cannot be read; the reason of the signal */
export async function fileDigest(file: string, signal: AbortSignal): Promise<FileDigest> {
  const digest = new Digest();
  let bytes = 0;
  for await (const piece of readPieces(file)) {
    signal.throwIfAborted();
    digest.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: digest.hex() };
}

async function* readPieces(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { highWaterMark: READ_BYTES });
  } catch (cause) {
    throw readFailed(file, cause);
  }
}
