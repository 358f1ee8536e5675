// Random numbers that a seed reproduces. Owns the generator; what is drawn with it is the caller's.

/** A sequence that depends on its seed alone (mulberry32). Good for choices, not for secrets. */
export class Random {
  #state: number;

  /** @param seed 32 bits of it count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `limit - 1`; 0 for a limit below 1. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  isOneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T {
    const index = this.below(list.length);
    if (index >= list.length) {
      throw new RangeError('nothing to pick from');
    }
    return list[index] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
