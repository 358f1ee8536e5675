// Signed-on idle connections, by (proxy, identity, scheme). Owns their ageing and their end; a connection in it keeps
// no process alive.
import { publishConnection } from '../observe/events.ts';
import type { Connection } from './connection.ts';

/** Proxies of the field close idle connections after 10 s to 2 min; this stays below (docs/defaults.md). */
const IDLE_MS = 10_000;
const MAX_IDLE_PER_KEY = 32;

interface Idle {
  readonly connection: Connection;
  readonly timer: NodeJS.Timeout;
}

export class Pool {
  readonly #idle = new Map<string, Idle[]>();
  #closed = false;

  /** The connection that was used last, or `null`. */
  take(key: string): Connection | null {
    const idle = this.#idle.get(key) ?? [];
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) {
      clearTimeout(one.timer);
      if (one.connection.isIdle) {
        one.connection.socket.ref();
        publishConnection({ action: 'reused', to: one.connection.peer.name });
        return one.connection;
      }
      one.connection.destroy();
    }
    this.#idle.delete(key);
    return null;
  }

  put(key: string, connection: Connection): void {
    const idle = this.#idle.get(key) ?? [];
    if (this.#closed || !connection.isIdle || idle.length >= MAX_IDLE_PER_KEY) {
      connection.destroy();
      return;
    }
    connection.socket.unref();
    const timer = setTimeout(() => this.#drop(key, connection), IDLE_MS);
    timer.unref();
    idle.push({ connection, timer });
    this.#idle.set(key, idle);
    publishConnection({ action: 'pooled', to: connection.peer.name });
  }

  /** Ends every idle connection; those in use end themselves when they come back. */
  close(): void {
    this.#closed = true;
    for (const { connection, timer } of [...this.#idle.values()].flat()) {
      clearTimeout(timer);
      connection.destroy();
    }
    this.#idle.clear();
  }

  #drop(key: string, connection: Connection): void {
    const left = (this.#idle.get(key) ?? []).filter((one) => one.connection !== connection);
    this.#idle.set(key, left);
    connection.destroy();
  }
}
