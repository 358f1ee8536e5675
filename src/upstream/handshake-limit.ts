// How many handshakes towards one proxy are under way at a time: each unanswered challenge reserves one of its
// authenticators (squid: 20 for the whole company, or 5). Owns the queue, first come first served, how wide its
// door is: a proxy whose challenges become slow has others waiting; and that nobody waits for what is done ahead.

/** Below squid's usual 20 (docs/defaults.md). */
const MAX_UNDER_WAY = 16;
/** The door grows from here, by one for each round of prompt challenges. */
const FIRST_UNDER_WAY = 4;
/** A challenge is late beyond so many times the fastest one, and so many milliseconds more: our own process may be busy. */
const LATE_FACTOR = 2;
const LATE_MS = 2;
/** What is done ahead stops where a challenge is late by more, in milliseconds: then somebody waits over there for sure. */
const PRESSING_MS = 20;
/** For so long. */
const PRESSED_MS = 1000;
/** What the fastest one loses with each challenge, so that a network that has become slow is taken for what it is. */
const FORGETTING = 1.02;

/** The right to have one handshake under way. */
export interface Place {
  /** The first challenge came after so many milliseconds; infinitely many, when none came. */
  challenged(afterMs: number): void;
  /** Gives the place back; further calls do nothing. */
  leave(): void;
}

/** A sign-on for which nobody waits is not to be made now: it would cost somebody else time, or be the first to try a secret. */
export class NotNow extends Error {
  constructor() {
    super('Nothing is done ahead now');
  }
}

interface Door {
  underWay: number;
  width: number;
  fastestMs: number;
  /** Handshakes that began before this moment say nothing new. */
  narrowedAt: number;
  /** When somebody was seen to wait over there last. */
  pressedAt: number;
  readonly queue: Waiting[];
  /** Those nobody waits for. */
  readonly ahead: Waiting[];
}

interface Waiting {
  enter(): void;
  giveUp(reason: unknown): void;
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
      await waitIn(door.queue, signal);
    }
    return this.#place(door);
  }

  /**
   * The same for a handshake nobody waits for: behind all others, and with half of the door left free for them.
   *
   * @throws NotNow where a challenge was late a moment ago, or is while it waits
   * @throws the reason of `signal` when it aborts
   */
  async enterAhead(proxy: string, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const door = this.#doorOf(proxy);
    if (this.#now() - door.pressedAt < PRESSED_MS) {
      throw new NotNow();
    }
    if (hasRoomAhead(door)) {
      door.underWay += 1;
    } else {
      await waitIn(door.ahead, signal);
    }
    return this.#place(door);
  }

  #doorOf(proxy: string): Door {
    const door = this.#doors.get(proxy) ?? {
      underWay: 0,
      width: FIRST_UNDER_WAY,
      fastestMs: Number.POSITIVE_INFINITY,
      narrowedAt: Number.NEGATIVE_INFINITY,
      pressedAt: Number.NEGATIVE_INFINITY,
      queue: [],
      ahead: [],
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
        if (afterMs > door.fastestMs * LATE_FACTOR + PRESSING_MS) {
          door.pressedAt = this.#now();
          turnAway(door.ahead);
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

function hasRoomAhead({ underWay, width, queue }: Door): boolean {
  return queue.length === 0 && underWay < Math.max(1, Math.floor(width / 2));
}

/** Whoever waits longest goes first; what nobody waits for goes last. */
function admit(door: Door): void {
  while (door.queue.length > 0 && door.underWay < Math.floor(door.width)) {
    door.underWay += 1;
    door.queue.shift()?.enter();
  }
  while (door.ahead.length > 0 && hasRoomAhead(door)) {
    door.underWay += 1;
    door.ahead.shift()?.enter();
  }
}

function turnAway(ahead: Waiting[]): void {
  for (const { giveUp } of ahead.splice(0)) {
    giveUp(new NotNow());
  }
}

function waitIn(queue: Waiting[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      signal.removeEventListener('abort', abort);
      end();
    };
    const waiting: Waiting = {
      enter: () => settle(resolve),
      giveUp: (reason) => settle(() => reject(reason)),
    };
    const abort = (): void => {
      queue.splice(queue.indexOf(waiting), 1);
      waiting.giveUp(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    queue.push(waiting);
  });
}
