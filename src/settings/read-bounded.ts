// Reads a file that somebody named, which may be any: a device that never ends, or a disk image. Owns the limit; what is
// in the file, and what errors say, is the caller's.
import { createReadStream } from 'node:fs';

/**
 * The content, or `null` when it is longer; no more than a byte beyond the limit is read.
 *
 * @throws the error of the operating system, with its `code`
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  // `end` is inclusive: one byte more than allowed is enough to know.
  for await (const chunk of createReadStream(path, { end: maxBytes })) {
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  return bytes.length > maxBytes ? null : bytes;
}
