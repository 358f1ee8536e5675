// What ends a command from outside: Ctrl-C, another signal, and the time it was given. Owns the AbortSignal everybody listens to.
import { constants } from 'node:os';
import { SallyportError } from '../errors/sallyport-error.ts';

/** Ctrl-C, what `kill`, service managers and CI runners send, and a terminal that is closed. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export class Stops implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #deadline: number;
  #endedBy: NodeJS.Signals | null = null;
  readonly #interrupt = (signal: NodeJS.Signals): void => {
    // Once only: whoever presses again wants out at any price.
    this.#forget();
    this.#endedBy = signal;
    this.#controller.abort(new SallyportError('INTERRUPTED', 'Stopped'));
  };

  /** @param maxTimeMs from now on; `null` for no limit */
  constructor(maxTimeMs: number | null) {
    this.#deadline = maxTimeMs === null ? Number.POSITIVE_INFINITY : performance.now() + maxTimeMs;
    for (const signal of ENDING) {
      process.once(signal, this.#interrupt);
    }
    if (maxTimeMs !== null) {
      const late = new SallyportError(
        'TIMEOUT',
        `The ${maxTimeMs / 1000} s of --max-time are over`,
      );
      this.#timer = setTimeout(() => this.#controller.abort(late), maxTimeMs);
    }
  }

  /** Its reason is a SallyportError, INTERRUPTED or TIMEOUT. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds until the time is over. */
  get left(): number {
    return Math.max(this.#deadline - performance.now(), 0);
  }

  /** As shells report the signal that ended it; `null` while there was none, and nothing else forbids to begin more. */
  get exitCode(): number | null {
    return this.#endedBy === null ? null : 128 + constants.signals[this.#endedBy];
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#forget();
  }

  #forget(): void {
    for (const signal of ENDING) {
      process.off(signal, this.#interrupt);
    }
  }
}
