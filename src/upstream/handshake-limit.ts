// How many handshakes towards one proxy are under way at a time: each unanswered challenge reserves one of its
// authenticators (squid: 20 for the whole company, or 5). Owns the queue, first come first served, and how wide its
// door is: a proxy whose challenges become slow has others waiting.

/** Below squid's usual 20 (docs/defaults.md). */
const MAX_UNDER_WAY = 16;
/** The door grows from here, by one for each round of prompt challenges. */
const FIRST_UNDER_WAY = 4;
/** A challenge is late beyond so many times the fastest one, and so many milliseconds more: our own process may be busy. */
const LATE_FACTOR = 2;
const LATE_MS = 2;
/** What the fastest one loses with each challenge, so that a network that has become slow is taken for what it is. */
const FORGETTING = 1.02;

/** The right to have one handshake under way. */
export interface Place {
  /** The first challenge came after so many milliseconds; infinitely many, when none came. */
  challenged(afterMs: number): void;
  /** Gives the place back; further calls do nothing. */
  leave(): void;
}

interface Door {
  underWay: number;
  width: number;
  fastestMs: number;
  /** Handshakes that began before this moment say nothing new. */
  narrowedAt: number;
  readonly queue: (() => void)[];
}

export class HandshakeLimit {
  readonly #doors = new Map<string, Door>();
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Waits for a place.
   *
   * @throws the reason of `signal` when it aborts
   */
  async enter(proxy: string, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const door = this.#doorOf(proxy);
    if (hasRoom(door)) {
      door.underWay += 1;
    } else {
      await waitAt(door, signal);
    }
    return this.#place(door);
  }

  #doorOf(proxy: string): Door {
    const door = this.#doors.get(proxy) ?? {
      underWay: 0,
      width: FIRST_UNDER_WAY,
      fastestMs: Number.POSITIVE_INFINITY,
      narrowedAt: Number.NEGATIVE_INFINITY,
      queue: [],
    };
    this.#doors.set(proxy, door);
    return door;
  }

  #place(door: Door): Place {
    const enteredAt = this.#now();
    let isHeld = true;
    return {
      challenged: (afterMs) => {
        if (enteredAt >= door.narrowedAt) {
          this.#adjust(door, afterMs);
        }
        door.fastestMs = Math.min(afterMs, door.fastestMs * FORGETTING);
        admit(door);
      },
      leave: () => {
        if (isHeld) {
          isHeld = false;
          door.underWay -= 1;
          admit(door);
        }
      },
    };
  }

  /** By half when somebody waits over there, back by one a round: as TCP does, and for the same reason. */
  #adjust(door: Door, afterMs: number): void {
    if (afterMs > door.fastestMs * LATE_FACTOR + LATE_MS) {
      door.width = Math.max(1, door.width / 2);
      door.narrowedAt = this.#now();
    } else {
      door.width = Math.min(MAX_UNDER_WAY, door.width + 1 / door.width);
    }
  }
}

function hasRoom({ underWay, width, queue }: Door): boolean {
  return queue.length === 0 && underWay < Math.floor(width);
}

/** Whoever waits longest goes first. */
function admit(door: Door): void {
  while (door.queue.length > 0 && door.underWay < Math.floor(door.width)) {
    door.underWay += 1;
    door.queue.shift()?.();
  }
}

function waitAt({ queue }: Door, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const enter = (): void => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    const abort = (): void => {
      queue.splice(queue.indexOf(enter), 1);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    queue.push(enter);
  });
}
