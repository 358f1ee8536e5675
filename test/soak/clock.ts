// The clock of what ages in the engine: it goes an hour in one run, however short. Owns the speed; sockets keep real time.

const HOUR_MS = 3_600_000;

export class FastClock {
  readonly #began = Date.now();
  readonly #handshakes: number;
  #done = 0;

  /** @param handshakes how many make an hour */
  constructor(handshakes: number) {
    this.#handshakes = handshakes;
  }

  /** One handshake more. */
  tick(): void {
    this.#done += 1;
  }

  /** Milliseconds since 1970: good for the gate, whose file has such times, and as a monotonic clock. */
  readonly now = (): number => this.#began + this.passedMs;

  get passedMs(): number {
    return (HOUR_MS * this.#done) / this.#handshakes;
  }
}
