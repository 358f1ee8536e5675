// The body of an answer as a Node stream. Owns back-pressure; where the body ends is `body-reader.ts`.
import { Readable } from 'node:stream';
import type { BodyReader } from './body-reader.ts';

/** Bytes asked for ahead of the reader. */
const READ_AHEAD_BYTES = 262_144;

export class ResponseBody extends Readable {
  readonly #reader: BodyReader;
  #isPulling = false;
  #failure: Error | null = null;

  constructor(reader: BodyReader) {
    super({ highWaterMark: READ_AHEAD_BYTES });
    this.#reader = reader;
    if (reader.isOver) {
      this.push(null);
    }
  }

  override _read(): void {
    if (!(this.#isPulling || this.#reader.isOver)) {
      this.#isPulling = true;
      this.#pull().then(
        () => (this.#isPulling = false),
        (error: Error) => this.#fail(error),
      );
    }
  }

  /** What arrived before a failure is read before the failure is told: destroying drops it. */
  override read(size?: number): Buffer | null {
    const piece = super.read(size) as Buffer | null;
    if (this.#failure !== null && this.readableLength === 0) {
      process.nextTick(() => this.destroy(this.#failure ?? undefined));
    }
    return piece;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#reader.destroy();
    callback(error);
  }

  async #pull(): Promise<void> {
    for (let isWanted = true; isWanted && !this.destroyed; ) {
      for (const piece of (await this.#reader.next()) ?? []) {
        isWanted = this.push(piece);
      }
      if (this.#reader.isOver) {
        this.push(null);
        return;
      }
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    if (this.readableLength === 0) {
      this.destroy(error);
    }
  }
}
