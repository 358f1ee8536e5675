// How many tunnels were asked for at once of late. Owns that count; it looks at no connection.

/** What comes within so long counts as at once. */
const AT_ONCE_MS = 1000;
/** What was asked for before this says nothing of what comes next. */
const RECENT_MS = 30_000;
/** One alone is no demand: most programs that ask once do not ask again. */
const LEAST_ASKED = 2;

interface Burst {
  readonly startedAt: number;
  count: number;
}

export class RecentDemand {
  #bursts: Burst[] = [];
  #lastAskedAt = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** One more tunnel is wanted. */
  asked(): void {
    const now = this.#now();
    this.#lastAskedAt = now;
    const last = this.#bursts.at(-1);
    if (last !== undefined && now - last.startedAt < AT_ONCE_MS) {
      last.count += 1;
      return;
    }
    this.#forget(now);
    this.#bursts.push({ startedAt: now, count: 1 });
  }

  /** The most that were asked for at once; 0 where it was only one in all. */
  get atOnce(): number {
    this.#forget(this.#now());
    const counts = this.#bursts.map(({ count }) => count);
    const asked = counts.reduce((sum, count) => sum + count, 0);
    return asked < LEAST_ASKED ? 0 : Math.max(...counts);
  }

  /** How long nobody has asked, in milliseconds. */
  get quietMs(): number {
    return this.#now() - this.#lastAskedAt;
  }

  #forget(now: number): void {
    this.#bursts = this.#bursts.filter(({ startedAt }) => now - startedAt < RECENT_MS);
  }
}
