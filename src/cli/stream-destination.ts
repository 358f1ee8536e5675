// Destinations whose bytes are gone once they are written: standard output and devices; named pipes are
// `pipe-destination.ts`. Owns nothing that stays.
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Destination } from './destination.ts';
import { FileWriter } from './file-writer.ts';
import { outputFailed } from './output-failed.ts';
import type { PartRecord } from './part-record.ts';
import { print } from './print.ts';

/** What they have in common. */
export abstract class StreamDestination implements Destination {
  readonly part = null;
  length = 0;
  record: PartRecord | null = null;

  get canStartOver(): boolean {
    return this.length === 0;
  }

  async begin(record: PartRecord, signal: AbortSignal): Promise<void> {
    this.record = record;
    await this.open(signal);
  }

  write(piece: Uint8Array): Promise<void> | undefined {
    this.length += piece.length;
    return this.put(piece);
  }

  async *read(): AsyncIterable<Uint8Array> {
    // Nothing can be read back.
  }

  async complete(): Promise<void> {
    await this.flush();
  }

  reject(): void {
    this.record = null;
  }

  async flush(): Promise<void> {
    // Where each piece is waited for, nothing is left.
  }

  touch(): void {
    // Nobody else waits for it.
  }

  async close(): Promise<void> {
    // Nothing is open.
  }

  protected async open(_signal: AbortSignal): Promise<void> {
    // It is open.
  }

  protected abstract put(piece: Uint8Array): Promise<void> | undefined;
}

export class StandardOutput extends StreamDestination {
  protected put(piece: Uint8Array): Promise<void> {
    return print(piece);
  }
}

/** Opened with the first answer: some devices act when they are opened. */
export class DeviceDestination extends StreamDestination {
  readonly #target: string;
  #file: FileHandle | null = null;
  #writer: FileWriter | null = null;

  constructor(target: string) {
    super();
    this.#target = target;
  }

  override flush(): Promise<void> {
    return this.#told(() => this.#writer?.flush());
  }

  override async complete(): Promise<void> {
    await this.flush();
    await this.#told(() => this.#file?.close());
    this.#file = null;
  }

  override async close(): Promise<void> {
    await this.#writer?.end();
    await this.#file?.close().catch(() => undefined);
  }

  protected override async open(): Promise<void> {
    this.#file ??= await open(this.#target, 'w').catch((cause) => {
      throw outputFailed(this.#target, cause);
    });
    this.#writer ??= new FileWriter(this.#file, null);
  }

  protected put(piece: Uint8Array): Promise<void> | undefined {
    try {
      const wait = this.#writer?.write(piece);
      return wait === undefined ? undefined : this.#told(() => wait);
    } catch (cause) {
      throw outputFailed(this.#target, cause);
    }
  }

  async #told(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw outputFailed(this.#target, cause);
    }
  }
}
