// The first sign-on by the operating system's library towards a server goes alone: where it cannot begin, as behind a
// domain controller that is silent, the others learn it from the first instead of waiting each for itself.

export class FirstStarts {
  readonly #underWay = new Map<string, Promise<void>>();

  /**
   * Waits until no other start towards this server is under way, and takes its place.
   *
   * @returns gives the place to the next
   * @throws the reason of `signal` when it aborts
   */
  async enter(server: string, signal: AbortSignal): Promise<() => void> {
    for (let other = this.#underWay.get(server); other; other = this.#underWay.get(server)) {
      await untilAborted(other, signal);
    }
    signal.throwIfAborted();
    let end = (): void => undefined;
    const own = new Promise<void>((resolve) => (end = resolve));
    this.#underWay.set(server, own);
    return () => {
      this.#underWay.delete(server);
      end();
    };
  }
}

/**
 * The promise, or the reason of the signal, whichever comes first.
 *
 * @param late is told what came of a promise nobody waits for any more
 */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (settle: () => void): void => {
      isOver = true;
      signal.removeEventListener('abort', abort);
      settle();
    };
    const abort = (): void => end(() => reject(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(
      (value) => (isOver ? late(value) : end(() => resolve(value))),
      (error) => (isOver ? undefined : end(() => reject(error))),
    );
    if (signal.aborted) {
      abort();
    }
  });
}
