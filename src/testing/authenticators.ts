// A proxy's authenticators, as squid's helpers: each serves one handshake at a time, from the challenge until the last
// leg or the end of the connection. Owns who has one and who waits; knows no NTLM.

/** One authenticator that is reserved. */
export interface Reservation {
  /** Gives it to whoever waits longest. Further calls do nothing. */
  release(): void;
}

export class Authenticators {
  readonly #children: number;
  readonly #waiting: (() => void)[] = [];
  #reserved = 0;
  /** First legs that had to wait. */
  waits = 0;
  /** First legs that waited in vain. */
  busy = 0;
  /** The longest time one was reserved, in milliseconds; those still reserved do not count. */
  longestMs = 0;

  /** @param children how many there are */
  constructor(children: number) {
    this.#children = children;
  }

  /**
   * Reserves one, at once or after the others have given one back.
   *
   * @param limits.gone settles when the client has gone: nobody waits any more
   * @returns `null` when none was free for `limits.waitMs`, or the client has gone
   */
  async reserve(limits: {
    readonly waitMs: number;
    readonly gone: AbortSignal;
  }): Promise<Reservation | null> {
    if (this.#reserved < this.#children) {
      this.#reserved += 1;
    } else if (!(await this.#wait(limits))) {
      this.busy += limits.gone.aborted ? 0 : 1;
      return null;
    }
    const since = performance.now();
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) {
          isHeld = false;
          this.longestMs = Math.max(this.longestMs, performance.now() - since);
          this.#passOn();
        }
      },
    };
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#reserved -= 1;
    } else {
      next();
    }
  }

  /** @returns whether one was handed over */
  #wait({ waitMs, gone }: { waitMs: number; gone: AbortSignal }): Promise<boolean> {
    this.waits += 1;
    return new Promise((resolve) => {
      const settle = (isFree: boolean): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', giveUp);
        resolve(isFree);
      };
      const admit = (): void => settle(true);
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        settle(false);
      };
      const timer = setTimeout(giveUp, waitMs);
      gone.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(admit);
    });
  }
}
