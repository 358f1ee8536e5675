// Idle connections to proxies, by (proxy, identity): those that have served requests, and those that were signed on ahead
// and have served none. Owns their ageing and their end; a connection in it keeps no process alive.
import { publishConnection } from '../observe/events.ts';
import type { Connection } from './connection.ts';

/** Proxies of the field close idle connections after 10 s to 2 min; this stays below (docs/defaults.md). */
const IDLE_MS = 10_000;
const MAX_IDLE_PER_KEY = 32;

/** What became of a connection that was signed on ahead. */
export type ReadyEnd =
  /** Somebody took it. */
  | 'used'
  /** The proxy closed it. */
  | 'closed'
  /** Nobody wanted it for its time. */
  | 'expired'
  /** It was let go by us. */
  | 'dropped';

/** How long a connection that was signed on ahead may wait, and who is told of its end. */
export interface Readiness {
  readonly idleMs: number;
  /** @param afterMs how long it waited */
  ended(how: ReadyEnd, afterMs: number): void;
}

interface Idle {
  readonly connection: Connection;
  readonly ready: Readiness | null;
  /** Takes it out of the books. */
  leave(how: ReadyEnd): void;
}

/** `used` connections have served requests, `ready` ones have served none. */
export type IdleKind = 'used' | 'ready';

export class Pool {
  readonly #idle = new Map<string, Idle[]>();
  readonly #now: () => number;
  #closed = false;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * The connection that was put back last, or `null`.
   *
   * @param first which kind goes first
   * @param isFit leaves the others where they are
   */
  take(
    key: string,
    first: IdleKind = 'used',
    isFit: (connection: Connection) => boolean = () => true,
  ): Connection | null {
    return (
      this.#takeOf(key, first, isFit) ??
      this.#takeOf(key, first === 'used' ? 'ready' : 'used', isFit)
    );
  }

  /** How many wait, of whatever kind. */
  count(key: string): number {
    return this.#of(key).length;
  }

  /** @param ready for a connection that has served nobody yet; these have no limit here */
  put(key: string, connection: Connection, ready: Readiness | null = null): void {
    const isFull = ready === null && this.#of(key).filter(isUsed).length >= MAX_IDLE_PER_KEY;
    if (this.#closed || !connection.isIdle || isFull) {
      connection.destroy();
      ready?.ended('dropped', 0);
      return;
    }
    connection.socket.unref();
    this.#enter(key, connection, ready);
    publishConnection({ action: 'pooled', to: connection.peer.name });
  }

  /**
   * Ends those that have served nobody yet.
   *
   * @returns how many there were
   */
  dropReady(key: string): number {
    const ready = this.#of(key).filter((one) => !isUsed(one));
    for (const one of ready) {
      one.leave('dropped');
      one.connection.destroy();
    }
    return ready.length;
  }

  /** Ends every idle connection; those in use end themselves when they come back. */
  close(): void {
    this.#closed = true;
    for (const one of [...this.#idle.values()].flat()) {
      one.leave('dropped');
      one.connection.destroy();
    }
  }

  /** The last first: the others are the sooner left alone by whoever closes what rests. */
  #takeOf(
    key: string,
    kind: IdleKind,
    isFit: (connection: Connection) => boolean,
  ): Connection | null {
    const idle = this.#of(key);
    for (let at = idle.length - 1; at >= 0; at -= 1) {
      const one = idle[at];
      if (one === undefined || isUsed(one) !== (kind === 'used') || !isFit(one.connection)) {
        continue;
      }
      if (one.connection.isIdle) {
        one.leave('used');
        one.connection.socket.ref();
        publishConnection({ action: 'reused', to: one.connection.peer.name });
        return one.connection;
      }
      one.leave('closed');
      one.connection.destroy();
    }
    return null;
  }

  #enter(key: string, connection: Connection, ready: Readiness | null): void {
    const { socket } = connection;
    const since = this.#now();
    const drop = (how: ReadyEnd): void => {
      one.leave(how);
      connection.destroy();
    };
    const closed = (): void => drop('closed');
    const timer = setTimeout(() => drop('expired'), ready?.idleMs ?? IDLE_MS);
    timer.unref();
    const one: Idle = {
      ...{ connection, ready },
      leave: (how) => {
        clearTimeout(timer);
        socket.off('end', closed).off('close', closed);
        this.#remove(key, one);
        ready?.ended(how, this.#now() - since);
      },
    };
    socket.once('end', closed).once('close', closed);
    const others = this.#idle.get(key);
    if (others === undefined) {
      this.#idle.set(key, [one]);
    } else {
      others.push(one);
    }
  }

  #of(key: string): readonly Idle[] {
    return this.#idle.get(key) ?? [];
  }

  #remove(key: string, gone: Idle): void {
    const idle = this.#idle.get(key) ?? [];
    const at = idle.indexOf(gone);
    if (at !== -1) {
      idle.splice(at, 1);
    }
    if (idle.length === 0) {
      this.#idle.delete(key);
    }
  }
}

function isUsed({ ready }: Idle): boolean {
  return ready === null;
}
