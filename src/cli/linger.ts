// Waiting for what a program has left running: until nobody has used the local proxy for a while. Owns the count of open
// connections and the quiet that ends the wait.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Node tells of every connection to a server of this process here, and the local proxy is the only one. */
const ACCEPTED = 'net.server.socket';
/** A program that downloads one thing after the other is silent for a moment in between. */
const QUIET_MS = 5000;

export class Connections implements Disposable {
  readonly #quietMs: number;
  #open = 0;
  #since = 0;

  /** Counts from now on. */
  constructor(quietMs: number = QUIET_MS) {
    this.#quietMs = quietMs;
    subscribe(ACCEPTED, this.#accepted);
  }

  /** Resolves when there has been no connection for a while, which begins now at the earliest. */
  async quiet(): Promise<void> {
    this.#since = performance.now();
    for (;;) {
      const rest = this.#quietMs - (performance.now() - this.#since);
      if (this.#open === 0 && rest <= 0) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(rest, this.#quietMs / 10)));
    }
  }

  [Symbol.dispose](): void {
    unsubscribe(ACCEPTED, this.#accepted);
  }

  readonly #accepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      this.#since = performance.now();
    });
  };
}
