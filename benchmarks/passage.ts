// What a relay sees of one client on its way into a tunnel: how many requests, and how long. The one stopwatch that is
// the same for every client, whatever it is written in.
import type { Onlooker } from './delaying-relay.ts';

export interface Passage {
  /** CONNECT requests of this connection. */
  readonly legs: number;
  /** From the accepted connection until the first byte of a 2xx was handed to the client; `null` without one. */
  readonly tunnelMs: number | null;
}

/** Watches one connection. Client and proxy speak in turn, so each message begins a packet of its own. */
export class PassageWatch implements Onlooker {
  readonly #acceptedAt = performance.now();
  #legs = 0;
  #tunnelMs: number | null = null;

  fromClient(bytes: Buffer): void {
    if (this.#tunnelMs === null && startsWith(bytes, 'CONNECT ')) {
      this.#legs += 1;
    }
  }

  fromServer(bytes: Buffer): void {
    if (this.#tunnelMs === null && /^HTTP\/1\.[01] 2/.test(bytes.toString('latin1', 0, 10))) {
      this.#tunnelMs = performance.now() - this.#acceptedAt;
    }
  }

  get passage(): Passage {
    return { legs: this.#legs, tunnelMs: this.#tunnelMs };
  }
}

function startsWith(bytes: Buffer, word: string): boolean {
  return bytes.toString('latin1', 0, word.length) === word;
}
