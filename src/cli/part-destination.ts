// A file that is complete or not there: written as `FILE.part`, renamed at the end. Owns the order in which file and record
// change, so that a record never stands beside bytes that are not its own.
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { rename } from 'node:fs/promises';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { Destination } from './destination.ts';
import { FileWriter } from './file-writer.ts';
import { outputFailed, readFailed } from './output-failed.ts';
import type { Claim } from './part-file.ts';
import { claimPart, openPart, partOf } from './part-file.ts';
import type { PartRecord } from './part-record.ts';
import { readRecord, removeRecord, writeRecord } from './part-record.ts';

/** What is read of a part at once. */
const READ_BYTES = 1_048_576;

interface Open {
  readonly handle: FileHandle;
  readonly writer: FileWriter;
}

export class PartDestination implements Destination {
  readonly canStartOver = true;
  readonly part: string;
  length = 0;
  record: PartRecord | null = null;
  readonly #file: string;
  readonly #target: string;
  readonly #claim: Claim;
  #open: Open | null = null;

  private constructor(file: string, target: string, claim: Claim) {
    this.#file = file;
    this.#target = target;
    this.part = partOf(target);
    this.#claim = claim;
  }

  /**
   * Takes the `.part` for this process; without `continues` it is left as it is until an answer is there.
   *
   * @param file as the user named it
   * @param target the file itself, links followed
   * @throws SallyportError OUTPUT_FAILED
   */
  static async open(file: string, target: string, continues: boolean): Promise<PartDestination> {
    const claim = await claimPart(file, target).catch((cause) => {
      throw outputFailed(file, cause);
    });
    const destination = new PartDestination(file, target, claim);
    try {
      if (continues) {
        await destination.#takeUp();
      }
      return destination;
    } catch (cause) {
      await destination.close();
      throw outputFailed(file, cause);
    }
  }

  async begin(record: PartRecord): Promise<void> {
    this.record = null;
    this.length = 0;
    await this.#told(async () => {
      removeRecord(this.part);
      if (this.#open === null) {
        const flags = constants.O_WRONLY | constants.O_CREAT;
        this.#use(await openPart(this.#file, this.#target, flags), 0);
      }
      await this.#open?.writer.rewind();
      await this.#note(record);
    });
  }

  write(piece: Uint8Array): Promise<void> | undefined {
    this.length += piece.length;
    try {
      const wait = this.#open?.writer.write(piece);
      return wait === undefined ? undefined : this.#told(() => wait);
    } catch (cause) {
      throw outputFailed(this.#file, cause);
    }
  }

  async *read(): AsyncIterable<Uint8Array> {
    const handle = this.#open?.handle;
    let position = 0;
    while (handle !== undefined && position < this.length) {
      const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, this.length - position));
      const { bytesRead } = await handle
        .read(piece, 0, piece.length, position)
        .catch((cause) => Promise.reject(readFailed(this.part, cause)));
      if (bytesRead === 0) {
        throw readFailed(this.part, new Error('it became shorter'));
      }
      position += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  }

  flush(): Promise<void> {
    return this.#told(() => this.#open?.writer.flush());
  }

  async complete(): Promise<void> {
    await this.flush();
    try {
      await this.#shut();
      await rename(this.part, this.#target);
    } catch (cause) {
      throw errorWord(cause) === 'ENOENT' ? this.#lost(cause) : outputFailed(this.#file, cause);
    }
    removeRecord(this.part);
  }

  reject(): void {
    this.record = null;
    removeRecord(this.part);
  }

  touch(): void {
    this.#claim.touch();
  }

  async close(): Promise<void> {
    await this.#open?.writer.end();
    await this.#shut().catch(() => undefined);
    this.#claim.release();
  }

  /** Opens what is there, when there is something. */
  async #takeUp(): Promise<void> {
    const handle = await openPart(this.#file, this.#target, constants.O_RDWR).catch((cause) => {
      if (errorWord(cause) === 'ENOENT') {
        return null;
      }
      throw cause;
    });
    if (handle === null) {
      return;
    }
    const about = await handle.stat();
    this.#use(handle, about.size);
    this.length = about.size;
    this.record = await readRecord(this.part);
  }

  #use(handle: FileHandle, position: number): void {
    this.#open = { handle, writer: new FileWriter(handle, position) };
  }

  /** Without a record the download works; only that it cannot be continued by another command. */
  async #note(record: PartRecord): Promise<void> {
    this.record = record;
    try {
      await writeRecord(this.part, record);
    } catch {
      removeRecord(this.part);
    }
  }

  async #shut(): Promise<void> {
    const { handle } = this.#open ?? {};
    this.#open = null;
    await handle?.close();
  }

  #lost(cause: unknown): SallyportError {
    return new SallyportError(
      'OUTPUT_FAILED',
      `Cannot write ${this.#file}: ${this.part} was taken away`,
      { cause, hint: 'Try again, or name another file with -o.' },
    );
  }

  async #told(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw outputFailed(this.#file, cause);
    }
  }
}
