// Which user a client on loopback is. Owns the batch: whoever waits is asked for with one question, and once per connection.
import type { Socket } from 'node:net';
import { openOwnerLookup } from '../native/connection-owner.ts';
import type { LoopbackEnds, OwnerLookup, UserId } from '../native/loopback-ends.ts';
import { loopbackEnds } from '../native/loopback-ends.ts';

interface Question {
  readonly ends: LoopbackEnds;
  readonly answer: (user: UserId | null) => void;
}

export class PeerOwners implements Disposable {
  readonly #known = new WeakMap<Socket, Promise<UserId | null>>();
  readonly #open: () => OwnerLookup;
  #lookup: OwnerLookup | undefined;
  #waiting: Question[] = [];
  #isAsking = false;

  /** @param open called when the first question comes: most proxies never have one */
  constructor(open: () => OwnerLookup = openOwnerLookup) {
    this.#open = open;
  }

  /** `null` when the client is not on loopback, or the system does not tell. Never rejects. */
  userOf(socket: Socket): Promise<UserId | null> {
    const known = this.#known.get(socket) ?? this.#ask(socket);
    this.#known.set(socket, known);
    return known;
  }

  [Symbol.dispose](): void {
    this.#lookup?.[Symbol.dispose]();
  }

  #ask(socket: Socket): Promise<UserId | null> {
    const ends = loopbackEnds(socket);
    if (ends === null) {
      return Promise.resolve(null);
    }
    return new Promise((answer) => {
      this.#waiting.push({ ends, answer });
      if (!this.#isAsking) {
        this.#isAsking = true;
        // Whoever came with the same turn of the loop is asked for together.
        setImmediate(() => void this.#askAll());
      }
    });
  }

  async #askAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const questions = this.#waiting;
      this.#waiting = [];
      const users = await this.#usersOf(questions.map(({ ends }) => ends));
      for (const [index, { answer }] of questions.entries()) {
        answer(users[index] ?? null);
      }
    }
    this.#isAsking = false;
  }

  /** A system that cannot be asked knows nobody: then only the token counts. */
  async #usersOf(connections: readonly LoopbackEnds[]): Promise<readonly (UserId | null)[]> {
    try {
      this.#lookup ??= this.#open();
      return await this.#lookup.ask(connections);
    } catch {
      return [];
    }
  }
}
