// What ends a command from outside: Ctrl-C, and the time it was given. Owns the signal everybody listens to.
import { SallyportError } from '../errors/sallyport-error.ts';

export class Stops implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #deadline: number;
  readonly #interrupt = (): void => {
    // Once only: whoever presses again wants out at any price.
    this.#controller.abort(new SallyportError('INTERRUPTED', 'Stopped'));
  };

  /** @param maxTimeMs from now on; `null` for no limit */
  constructor(maxTimeMs: number | null) {
    this.#deadline = maxTimeMs === null ? Number.POSITIVE_INFINITY : performance.now() + maxTimeMs;
    process.once('SIGINT', this.#interrupt);
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

  /** Nothing more is to be begun. */
  get isInterrupted(): boolean {
    return this.signal.aborted && this.signal.reason.code === 'INTERRUPTED';
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    process.off('SIGINT', this.#interrupt);
  }
}
