// The corporate proxy that is killed over and over, and when it was away. Owns the process and the book of its absences.
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ProxyOrder } from './orders.ts';
import { Process } from './orders.ts';

/** What was under way at its end is told a moment later. */
const AFTERMATH_MS = 500;
const LONGEST_FREEZE_MS = 300;
/** Between two absences. */
const PAUSE_MS = [50, 2000] as const;

interface Outage {
  readonly from: number;
  to: number;
}

export class KilledProxy {
  /** So often each. */
  readonly counts = { killed: 0, frozen: 0 };
  readonly #random: Random;
  /** The last ones: no operation is older. */
  readonly #outages: Outage[] = [];
  #process: Process<ProxyOrder, { port: number }>;
  readonly #port: number;
  readonly #stop = new AbortController();
  #troubling: Promise<void> | null = null;

  private constructor(
    random: Random,
    process: Process<ProxyOrder, { port: number }>,
    port: number,
  ) {
    this.#random = random;
    this.#process = process;
    this.#port = port;
  }

  static async open(random: Random): Promise<KilledProxy> {
    const first: Process<ProxyOrder, { port: number }> = new Process('proxy-process.js');
    const { port } = await first.ask({ port: 0 });
    return new KilledProxy(random, first, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Begins to kill it, until `end`. */
  begin(): void {
    this.#troubling = this.#trouble();
  }

  /** Whether it was away at some moment of these, on the clock of `performance.now()`. */
  wasAway(from: number, to: number): boolean {
    return this.#outages.some((outage) => outage.from <= to && outage.to + AFTERMATH_MS >= from);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#troubling;
    await this.#process.end();
  }

  async #trouble(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(this.#random.between(...PAUSE_MS), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) {
        await (this.#random.chance(0.75) ? this.#kill() : this.#freeze());
      }
    }
  }

  async #kill(): Promise<void> {
    this.counts.killed += 1;
    const outage = this.#leaves();
    await this.#process.end('SIGKILL');
    this.#process = new Process('proxy-process.js');
    await this.#process.ask({ port: this.#port });
    outage.to = performance.now();
  }

  /** It accepts, and answers nobody: nothing may fail for that. */
  async #freeze(): Promise<void> {
    this.counts.frozen += 1;
    this.#process.child.kill('SIGSTOP');
    await pause(this.#random.between(1, LONGEST_FREEZE_MS));
    this.#process.child.kill('SIGCONT');
  }

  #leaves(): Outage {
    const outage = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#outages.push(outage);
    this.#outages.splice(0, this.#outages.length - 100);
    return outage;
  }
}
