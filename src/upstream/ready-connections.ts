// Connections signed on ahead of demand, so that a CONNECT costs one round trip. Owns how many there are to be for each
// proxy and identity, when they are made, and what a proxy's behaviour teaches about them; how one is made comes in.
import { setTimeout as pause } from 'node:timers/promises';
import { publishReady } from '../observe/events.ts';
import type { Connection } from './connection.ts';
import type { Answer, Reuse } from './exchange.ts';
import { NotNow } from './handshake-limit.ts';
import type { Pool, ReadyEnd } from './pool.ts';
import { RecentDemand } from './recent-demand.ts';

/** So many for each proxy at most, whatever is asked for. */
export const MAX_READY = 64;
/** How long one waits without traffic; then the next CONNECT signs on by itself. */
export const QUIET_MS = 60_000;
/** Sign-ons ahead that are under way at a time, behind a first one that went alone. */
const AT_A_TIME = 4;
/** A proxy that closes them sooner wants none. */
const QUICK_CLOSE_MS = 5000;
/** What was learned to be of no use is tried again after so long. */
const OFF_MS = 10 * 60_000;
/** Behind the CONNECT that asks for them: those that came with it go first, and get the processor. */
const SETTLE_MS = 100;
/** Where others wait over there, or the secret has not been accepted for a while. */
const NOT_NOW_MS = 1000;
/** After a failure; twice as long each time. */
const FIRST_PAUSE_MS = 2000;
const MAX_PAUSE_MS = 10 * 60_000;
/** All of one: nobody waits for it, so it need not be waited for long. */
const MAX_MAKING_MS = 10_000;
/** Reuses in a row that were lost: one alone may have been closed just then. */
const MAX_LOST = 2;
/** What a limit on connections is answered with. */
const CAP_STATUSES = new Set([403, 429, 503]);

/** The proxy and identity that connections are made for. */
export interface ReadyPlace {
  /** Of the pool. */
  readonly key: string;
  /** `host:port` */
  readonly proxy: string;
  /**
   * Signs a new connection on, by a request of its own.
   *
   * @returns `null` where this scheme signs on requests, not connections, or is not known yet
   * @throws NotNow, and SallyportError of dialling and of the exchange
   */
  make(signal: AbortSignal): Promise<Answer | null>;
}

interface Lane {
  readonly place: ReadyPlace;
  readonly demand: RecentDemand;
  /** Shrinks by one with each that nobody wanted, grows with each that was used. */
  allowance: number;
  /** Ends what is being made; `null` while nothing is. */
  filling: AbortController | null;
  offUntil: number;
  pauseMs: number;
  pausedUntil: number;
  /** CONNECT does not work on connections that have served a request. */
  noReuseUntil: number;
  lostReuses: number;
  /** What our own request is answered with here, once that is known. */
  usualStatus: number | null;
  /** No sooner is a refusal taken for a limit on connections once more. */
  capAskedUntil: number;
}

export interface ReadyConnectionsDeps {
  readonly pool: Pool;
  /** At most so many for each proxy and identity; 0 makes none. */
  readonly most: number;
  readonly quietMs: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

export class ReadyConnections {
  readonly #pool: Pool;
  readonly #most: number;
  readonly #quietMs: number;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #closing = new AbortController();

  constructor({ pool, most, quietMs, now }: ReadyConnectionsDeps) {
    this.#pool = pool;
    this.#most = Math.min(most, MAX_READY);
    this.#quietMs = quietMs;
    this.#now = now;
  }

  /** A CONNECT is about to be made. */
  asked(place: ReadyPlace): void {
    this.#laneOf(place).demand.asked();
  }

  /** Whether a CONNECT may go out on a connection that has served a request. */
  mayReuse(key: string): boolean {
    return this.#now() >= (this.#lanes.get(key)?.noReuseUntil ?? Number.NEGATIVE_INFINITY);
  }

  /**
   * A CONNECT on a fresh connection got this status.
   *
   * @returns whether connections that only wait were given back: they may have been too many, so the proxy may be asked once
   *   more
   */
  giveBack(key: string, status: number): boolean {
    const lane = this.#lanes.get(key);
    const now = this.#now();
    if (!lane || !CAP_STATUSES.has(status)) {
      return false;
    }
    if (now < lane.capAskedUntil) {
      // Of one burst several may have been refused before they were given back.
      return now - (lane.capAskedUntil - OFF_MS) < FIRST_PAUSE_MS;
    }
    const hasDropped = this.#pool.dropReady(key) > 0;
    if (!hasDropped && lane.filling === null) {
      return false;
    }
    lane.filling?.abort();
    lane.capAskedUntil = now + OFF_MS;
    lane.pausedUntil = now + FIRST_PAUSE_MS;
    return true;
  }

  /** A CONNECT has its answer. */
  answered(
    key: string,
    { head, reuse, gaveBack }: Pick<Answer, 'head' | 'reuse' | 'gaveBack'>,
  ): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined || head.status < 200 || head.status >= 300) {
      return;
    }
    if (gaveBack) {
      this.#turnOff(lane, 'the proxy limits connections');
    }
    this.#learnReuse(lane, reuse);
    void this.#fill(lane);
  }

  /** What is being made is given up. Those that wait end with the pool. */
  close(): void {
    this.#closing.abort();
  }

  #laneOf(place: ReadyPlace): Lane {
    const lane = this.#lanes.get(place.key) ?? {
      place,
      demand: new RecentDemand(this.#now),
      allowance: this.#most,
      filling: null,
      offUntil: Number.NEGATIVE_INFINITY,
      pauseMs: FIRST_PAUSE_MS,
      pausedUntil: Number.NEGATIVE_INFINITY,
      noReuseUntil: Number.NEGATIVE_INFINITY,
      lostReuses: 0,
      usualStatus: null,
      capAskedUntil: Number.NEGATIVE_INFINITY,
    };
    this.#lanes.set(place.key, lane);
    return lane;
  }

  #learnReuse(lane: Lane, reuse: Reuse | null): void {
    lane.lostReuses = reuse === 'served' ? 0 : lane.lostReuses + (reuse === 'lost' ? 1 : 0);
    if (reuse === 'refused' || lane.lostReuses >= MAX_LOST) {
      lane.noReuseUntil = this.#now() + OFF_MS;
      this.#turnOff(lane, 'the proxy opens no tunnel on a connection that has served a request');
    }
  }

  /** Only a CONNECT starts this: what the proxy closes while nobody asks is not made again. */
  async #fill(lane: Lane): Promise<void> {
    if (lane.filling !== null || this.#missing(lane) <= 0) {
      return;
    }
    const own = new AbortController();
    lane.filling = own;
    lane.pausedUntil = Math.max(lane.pausedUntil, this.#now() + SETTLE_MS);
    const signal = AbortSignal.any([this.#closing.signal, own.signal]);
    try {
      let together = 1;
      for (let missing = 1; missing > 0 && !signal.aborted; missing = this.#missing(lane)) {
        await outwait(lane.pausedUntil - this.#now(), signal);
        const count = Math.max(0, Math.min(together, this.#missing(lane)));
        const each = Array.from({ length: count }, () => this.#makeOne(lane, signal));
        // The password may have changed meanwhile: behind a failure, one goes alone again.
        together = (await Promise.all(each)).every((isMade) => isMade) ? AT_A_TIME : 1;
      }
    } finally {
      lane.filling = null;
    }
  }

  #missing({ place, demand, allowance, offUntil }: Lane): number {
    if (this.#now() < offUntil || this.#closing.signal.aborted) {
      return 0;
    }
    return Math.min(allowance, demand.atOnce) - this.#pool.count(place.key);
  }

  /** @returns whether there is one more */
  async #makeOne(lane: Lane, signal: AbortSignal): Promise<boolean> {
    let answer: Answer | null;
    try {
      answer = await inTime(MAX_MAKING_MS, signal, (limited) => lane.place.make(limited));
    } catch (error) {
      this.#pauseAfter(lane, error);
      return false;
    }
    if (answer === null) {
      this.#turnOff(lane, 'the sign-on does not last for the connection');
      return false;
    }
    const reason = this.#unfit(lane, answer);
    if (reason !== null) {
      answer.connection.destroy();
      this.#turnOff(lane, reason);
      return false;
    }
    lane.usualStatus ??= answer.head.status;
    lane.pauseMs = FIRST_PAUSE_MS;
    this.#keep(lane, answer.connection);
    return true;
  }

  /** @returns why this answer speaks against making any here, else `null` */
  #unfit({ usualStatus }: Lane, { head: { status }, keeps, connection }: Answer): string | null {
    if (status === 407) {
      return 'the proxy asks again behind the sign-on';
    }
    if (
      status === 429 ||
      status === 503 ||
      (CAP_STATUSES.has(status) && usualStatus !== null && status !== usualStatus)
    ) {
      return `the proxy limits connections (${status})`;
    }
    return keeps && connection.signedOn !== null
      ? null
      : 'the sign-on does not last for the connection';
  }

  #keep(lane: Lane, connection: Connection): void {
    const { key, proxy: to } = lane.place;
    publishReady({ to, action: 'made', reason: null });
    this.#pool.put(key, connection, {
      idleMs: Math.max(1, this.#quietMs - lane.demand.quietMs),
      ended: (how, afterMs) => this.#ended(lane, how, afterMs),
    });
  }

  #ended(lane: Lane, how: ReadyEnd, afterMs: number): void {
    const { proxy: to } = lane.place;
    if (how === 'used') {
      lane.allowance = Math.min(this.#most, lane.allowance + 2);
      publishReady({ to, action: 'used', reason: null });
      return;
    }
    lane.allowance -= how !== 'dropped' && lane.allowance > 1 ? 1 : 0;
    publishReady({ to, action: 'wasted', reason: how });
    if (how === 'closed' && afterMs < QUICK_CLOSE_MS) {
      this.#turnOff(lane, 'the proxy closes idle connections at once');
    }
  }

  /** Whatever it was: nobody waited for it. */
  #pauseAfter(lane: Lane, error: unknown): void {
    const isFailure = !(error instanceof NotNow);
    lane.pausedUntil = this.#now() + (isFailure ? lane.pauseMs : NOT_NOW_MS);
    lane.pauseMs = isFailure ? Math.min(MAX_PAUSE_MS, lane.pauseMs * 2) : lane.pauseMs;
  }

  #turnOff(lane: Lane, reason: string): void {
    const now = this.#now();
    const isNews = now >= lane.offUntil;
    lane.offUntil = now + OFF_MS;
    if (isNews && this.#most > 0) {
      publishReady({ to: lane.place.proxy, action: 'off', reason });
      this.#pool.dropReady(lane.place.key);
    }
  }
}

/** Keeps no process alive, and is over when the signal aborts. */
async function outwait(leftMs: number, signal: AbortSignal): Promise<void> {
  if (leftMs > 0) {
    await pause(leftMs, undefined, { ref: false, signal }).catch(() => undefined);
  }
}

/** `AbortSignal.timeout` costs as much as a sign-on. */
async function inTime<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = new AbortController();
  const abort = (): void => limited.abort(signal.reason);
  const late = (): void => limited.abort(new Error('Signing on ahead took too long'));
  const timer = setTimeout(late, limitMs).unref();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await work(limited.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
