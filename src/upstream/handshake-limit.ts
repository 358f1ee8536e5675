// At most so many handshakes towards one proxy at a time: each unanswered challenge reserves one of its
// authenticators (squid: 20 for the whole company). Owns the queue, first come first served.

/** Below squid's usual 20 (docs/defaults.md). */
const MAX_UNDER_WAY = 16;

export class HandshakeLimit {
  readonly #underWay = new Map<string, number>();
  readonly #queues = new Map<string, (() => void)[]>();

  /**
   * Waits for a place.
   *
   * @returns gives the place back; further calls do nothing
   * @throws the reason of `signal` when it aborts
   */
  async enter(proxy: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const count = this.#underWay.get(proxy) ?? 0;
    if (count < MAX_UNDER_WAY) {
      this.#underWay.set(proxy, count + 1);
    } else {
      await this.#wait(proxy, signal);
    }
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.#leave(proxy);
      }
    };
  }

  /** The place goes to whoever waits longest; the count stays. */
  #leave(proxy: string): void {
    const next = this.#queues.get(proxy)?.shift();
    if (next === undefined) {
      this.#underWay.set(proxy, (this.#underWay.get(proxy) ?? 1) - 1);
    } else {
      next();
    }
  }

  #wait(proxy: string, signal: AbortSignal): Promise<void> {
    const queue = this.#queues.get(proxy) ?? [];
    this.#queues.set(proxy, queue);
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        queue.splice(queue.indexOf(admit), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      queue.push(admit);
    });
  }
}
