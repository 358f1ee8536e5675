// Kerberos credentials from passwords, kept for a while: each asks the KDC for a ticket, and a program that opens a
// hundred connections is one sign-on. Owns their end; holds no password.
import { createHmac, randomBytes } from 'node:crypto';

/** Well below the life of any ticket; a password that is changed meanwhile does not end tickets either. */
const KEPT_MS = 5 * 60_000;

/** What a context uses, until it gives it back. */
export interface Lent {
  readonly handle: bigint;
  release(): void;
}

interface Held {
  readonly handle: bigint;
  users: number;
  isOver: boolean;
}

export class PasswordCredentials {
  readonly #held = new Map<string, Promise<Held>>();
  readonly #key = randomBytes(32);
  readonly #free: (handle: bigint) => void;
  readonly #keptMs: number;

  /** @param free releases a handle that nobody uses any more */
  constructor(free: (handle: bigint) => void, keptMs: number = KEPT_MS) {
    this.#free = free;
    this.#keptMs = keptMs;
  }

  /**
   * The credential of this principal and password; those who ask at the same time share one question to the KDC.
   *
   * @throws what `acquire` throws, which is then asked again
   */
  async take(principal: string, password: string, acquire: () => Promise<bigint>): Promise<Lent> {
    const key = createHmac('sha256', this.#key)
      .update(JSON.stringify([principal, password]))
      .digest('base64url');
    const promise = this.#held.get(key) ?? this.#acquire(key, acquire);
    this.#held.set(key, promise);
    const held = await promise;
    held.users += 1;
    let isLent = true;
    return {
      handle: held.handle,
      release: () => {
        held.users -= isLent ? 1 : 0;
        isLent = false;
        this.#freeUnused(held);
      },
    };
  }

  async #acquire(key: string, acquire: () => Promise<bigint>): Promise<Held> {
    try {
      const held = { handle: await acquire(), users: 0, isOver: false };
      setTimeout(() => {
        held.isOver = true;
        this.#held.delete(key);
        this.#freeUnused(held);
      }, this.#keptMs).unref();
      return held;
    } catch (error) {
      this.#held.delete(key);
      throw error;
    }
  }

  #freeUnused(held: Held): void {
    if (held.isOver && held.users === 0) {
      held.isOver = false;
      this.#free(held.handle);
    }
  }
}
