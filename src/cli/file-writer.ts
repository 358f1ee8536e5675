// Writes the pieces of a download to a file, many at a time and behind the reader's back: the next ones arrive meanwhile.
// Owns the order of the bytes and the first failure; opens and closes nothing.
import type { FileHandle } from 'node:fs/promises';

/** Below this the work round a write costs more than the write. */
const BATCH_BYTES = 1_048_576;
/** The most a system takes in one call (IOV_MAX). */
const BATCH_PIECES = 1024;
/** What trickles in is in the file so soon. */
const BATCH_AGE_MS = 200;

export class FileWriter {
  readonly #file: FileHandle;
  /** `null` for what has no positions, such as a pipe. */
  #position: number | null;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #underWay: Promise<void> | null = null;
  #failure: { readonly cause: unknown } | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: FileHandle, position: number | null) {
    this.#file = file;
    this.#position = position;
  }

  /**
   * Takes a piece.
   *
   * @returns what to wait for when it cannot take more at once
   * @throws Error of the file system, of an earlier piece
   */
  write(piece: Uint8Array): Promise<void> | undefined {
    this.#throwFailure();
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < BATCH_BYTES && this.#pieces.length < BATCH_PIECES) {
      this.#timer ??= setTimeout(() => this.#onAge(), BATCH_AGE_MS);
      return undefined;
    }
    if (this.#underWay !== null) {
      return this.#next();
    }
    this.#begin();
    return undefined;
  }

  /** Waits until all of it is written. @throws Error of the file system */
  async flush(): Promise<void> {
    await this.#next();
    await this.#underWay;
    this.#throwFailure();
  }

  /** Nothing is written any more. */
  async end(): Promise<void> {
    await this.flush().catch(() => undefined);
    clearTimeout(this.#timer);
  }

  /** Goes on at the beginning. */
  async rewind(): Promise<void> {
    await this.flush();
    await this.#file.truncate(0);
    this.#position = 0;
  }

  #onAge(): void {
    this.#timer = undefined;
    if (this.#underWay === null) {
      this.#begin();
      return;
    }
    this.#timer = setTimeout(() => this.#onAge(), BATCH_AGE_MS);
  }

  async #next(): Promise<void> {
    await this.#underWay;
    this.#begin();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failure !== null || this.#pieces.length === 0) {
      return;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    this.#underWay = this.#writeAll(pieces)
      .catch((cause) => {
        this.#failure = { cause };
      })
      .finally(() => {
        this.#underWay = null;
      });
  }

  async #writeAll(pieces: readonly Uint8Array[]): Promise<void> {
    let left = pieces;
    while (left.length > 0) {
      const { bytesWritten } = await this.#file.writev(left, this.#position ?? undefined);
      this.#position = this.#position === null ? null : this.#position + bytesWritten;
      left = behind(left, bytesWritten);
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) {
      throw this.#failure.cause;
    }
  }
}

/** What a system did not take: a disk that is almost full takes less than it is given. */
function behind(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = bytes;
  for (const [at, piece] of pieces.entries()) {
    if (skipped < piece.length) {
      return [piece.subarray(skipped), ...pieces.slice(at + 1)];
    }
    skipped -= piece.length;
  }
  return [];
}
