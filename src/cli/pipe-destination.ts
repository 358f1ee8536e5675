// A named pipe as the place of a download. Owns the waiting for its reader, and for a reader that is slow, in a way that can be
// given up: an open() or write() that blocks could not.
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { errorWord } from '../errors/error-word.ts';
import { outputFailed } from './output-failed.ts';
import { StreamDestination } from './stream-destination.ts';

/** How often it is looked whether a reader has come. */
const LOOK_MS = 50;

export class PipeDestination extends StreamDestination {
  readonly #target: string;
  #pipe: Socket | null = null;

  constructor(target: string) {
    super();
    this.#target = target;
  }

  override async complete(): Promise<void> {
    await new Promise<void>((resolve) => this.#pipe?.once('close', resolve).end() ?? resolve());
  }

  override async close(): Promise<void> {
    this.#pipe?.destroy();
  }

  protected override async open(signal: AbortSignal): Promise<void> {
    this.#pipe ??= await openPipe(this.#target, signal);
  }

  protected put(piece: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pipe?.write(piece, (cause) =>
        cause ? reject(outputFailed(this.#target, this.#pipe?.errored ?? cause)) : resolve(),
      );
    });
  }
}

/** @throws SallyportError OUTPUT_FAILED; the reason of the signal */
async function openPipe(target: string, signal: AbortSignal): Promise<Socket> {
  const fd = await openWithReader(target, signal);
  const pipe = new Socket({ fd, readable: false, writable: true });
  const abort = (): void => void pipe.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // Whoever writes is told.
  pipe.on('error', () => undefined);
  return pipe.once('close', () => signal.removeEventListener('abort', abort));
}

/** ENXIO is what a pipe without a reader says to one who does not wait (open(2), O_NONBLOCK). */
async function openWithReader(target: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return openSync(target, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (cause) {
      if (errorWord(cause) !== 'ENXIO') {
        throw outputFailed(target, cause);
      }
    }
    await pause(LOOK_MS, undefined, { signal });
  }
}
