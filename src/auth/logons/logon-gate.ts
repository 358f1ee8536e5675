// Keeps accounts from being locked by us: an unproven secret is tried by one connection at a time, and after one
// refusal by none. Owns who may go now, in this process and, by `shared-logons.ts`, among all of this user; knows no
// sockets and no schemes.
import { inDoubt, refusedBefore, unanswered as unansweredError } from './logon-errors.ts';
import type { LogonRequest } from './logon-request.ts';
import type { Standing } from './logon-standing.ts';
import {
  accept,
  aged,
  CLOSED_MS,
  isClosed,
  isDecided,
  isTrusted,
  refuse,
  UNPROVEN,
} from './logon-standing.ts';
import { processTag } from './secret-tag.ts';
import type { SharedView } from './shared-logons.ts';
import { SharedLogons } from './shared-logons.ts';

export type { LogonRequest } from './logon-request.ts';

/**
 * How long others wait for an attempt whose last leg is unanswered. A wrong password is answered at
 * once; an answer that takes longer waits for the origin (docs/defaults.md).
 */
const MAX_WAIT_MS = 10_000;
/** Attempts without a verdict that may stand at the same time, or one after the other. */
const MAX_UNANSWERED = 2;

/** The right to send one last leg. One of `accepted`, `refused`, `undecided` is called, once. */
export interface LogonTicket {
  /** Whether this secret was accepted in this realm before: a refusal need not be a wrong password. */
  readonly proven: boolean;
  /** Whether the secret was refused since, to somebody who went at the same time: better ask for a turn again than send it. */
  readonly isInDoubt: boolean;
  /** The credentials are on their way: from now on no verdict is a fact of its own. */
  lastLegSent(): void;
  accepted(): void;
  refused(): void;
  /** The attempt ended without a verdict: a lost connection, a scheme that was set aside. */
  undecided(): void;
}

interface Entry {
  readonly key: string;
  standing: Standing;
  /** Last legs that nobody answered, in a row: of this process alone. */
  unanswered: number;
  silentUntil: number;
  /** Attempts of this process with an unproven or doubted secret. */
  underWay: number;
  readonly waiting: Set<() => void>;
  /** What was written last, or read since. */
  synced: { readonly salt: string; readonly revision: number } | null;
  /** Verdicts on their way to the file. */
  unwritten: number;
  /** The last verdict could not be written: what the file says is older. */
  isAhead: boolean;
}

/** A secret, by whose it is and where it is judged, and whether it may be tried. */
export interface Breaker {
  readonly realm: string;
  readonly account: string;
  /**
   * - `open`: nothing is sent, for it was refused
   * - `waiting`: nothing is sent for some minutes: it is in doubt, or nobody answered
   * - `closed`: it was accepted lately
   * - `unproven`: one goes first
   */
  readonly state: 'open' | 'waiting' | 'closed' | 'unproven';
}

function breakerState(standing: Standing, silentUntil: number, now: number): Breaker['state'] {
  if (standing.verdict === 'refused') {
    return 'open';
  }
  if (isClosed(standing, now) || (now < silentUntil && silentUntil - now <= CLOSED_MS)) {
    return 'waiting';
  }
  return standing.verdict === 'proven' ? 'closed' : 'unproven';
}

/** What an admitted attempt holds. */
interface Hold {
  readonly isAlone: boolean;
  readonly lease: string | null;
}

export class LogonGate {
  readonly #entries = new Map<string, Entry>();
  readonly #shared: SharedLogons | null;
  readonly #maxWaitMs: number;
  readonly #now: () => number;

  /** @param deps the memory shared with other processes (none by default); a shorter wait and a wall clock, for tests */
  constructor(
    deps: {
      readonly shared?: SharedLogons | null;
      readonly maxWaitMs?: number;
      readonly now?: () => number;
    } = {},
  ) {
    this.#shared = deps.shared ?? null;
    this.#maxWaitMs = deps.maxWaitMs ?? MAX_WAIT_MS;
    this.#now = deps.now ?? Date.now;
  }

  /** Begins computing what `enter` will need, so that it is ready then. Never throws. */
  prepare(request: LogonRequest): void {
    void this.#shared?.prepare(request);
  }

  /**
   * Waits until this (account, secret) may be tried in this realm.
   *
   * @throws SallyportError CREDENTIALS_REFUSED when the secret was refused before: nothing is sent
   * @throws the reason of `signal` when it aborts
   */
  async enter(request: LogonRequest, signal: AbortSignal): Promise<LogonTicket> {
    const entry = this.#entryOf(request);
    let room = 1;
    while (true) {
      await this.#look(entry, request);
      signal.throwIfAborted();
      this.#checkOpen(entry, request);
      if (isTrusted(entry.standing, this.#now())) {
        return this.#admit(entry, request, { isAlone: false, lease: null });
      }
      if (entry.underWay >= room) {
        room = (await this.#wait(entry, signal)) ? MAX_UNANSWERED : 1;
        continue;
      }
      const ticket = await this.#goFirst(entry, request, room, signal);
      if (ticket !== null) {
        return ticket;
      }
    }
  }

  /**
   * For a logon nobody waits for: only while any number may sign on at once, because the secret was accepted a moment ago.
   * It never finds out anything.
   *
   * @returns `null` where one would have to go first, or nobody may
   */
  async enterTrusted(request: LogonRequest): Promise<LogonTicket | null> {
    const entry = this.#entryOf(request);
    await this.#look(entry, request);
    const isTrustedNow = isTrusted(entry.standing, this.#now());
    return isTrustedNow ? this.#admit(entry, request, { isAlone: false, lease: null }) : null;
  }

  /** Each secret this process has asked about, and what becomes of a logon with it now. Tells no secret. */
  get breakers(): readonly Breaker[] {
    const now = this.#now();
    return [...this.#entries.values()].map(({ key, standing, silentUntil }) => {
      const [realm = '', account = ''] = JSON.parse(key) as [string, string];
      return { realm, account, state: breakerState(standing, silentUntil, now) };
    });
  }

  #entryOf({ realm, account, secret }: LogonRequest): Entry {
    const tag = secret === null ? null : processTag(secret);
    const key = JSON.stringify([realm, account.toLowerCase(), tag]);
    const entry = this.#entries.get(key) ?? {
      key,
      standing: UNPROVEN,
      unanswered: 0,
      silentUntil: 0,
      underWay: 0,
      waiting: new Set(),
      synced: null,
      unwritten: 0,
      isAhead: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** The first of this process: is it also the first of all? `null` when another process has found out meanwhile. */
  async #goFirst(
    entry: Entry,
    request: LogonRequest,
    room: number,
    signal: AbortSignal,
  ): Promise<LogonTicket | null> {
    entry.underWay += 1;
    const isAlone = true;
    try {
      const lease = await this.#takeTurn(entry, request, room, signal);
      if (lease !== 'decided') {
        return this.#admit(entry, request, { isAlone, lease });
      }
    } catch (error) {
      this.#leave(entry);
      throw error;
    }
    this.#leave(entry);
    return null;
  }

  /** @returns the lease; `null` where there is no memory to share */
  async #takeTurn(
    entry: Entry,
    request: LogonRequest,
    firstRoom: number,
    signal: AbortSignal,
  ): Promise<string | null | 'decided'> {
    let room = firstRoom;
    while (this.#shared !== null && !entry.isAhead) {
      const claim = await this.#shared.claim(request, room);
      if (claim === null) {
        return null;
      }
      this.#learn(entry, claim.view);
      if (claim.lease !== null) {
        if (signal.aborted) {
          void this.#shared.settle(request, claim.lease, null);
        }
        signal.throwIfAborted();
        return claim.lease;
      }
      if (isDecided(entry.standing, this.#now())) {
        return 'decided';
      }
      const isLate = await this.#shared.waitForChange(request, claim.view, this.#maxWaitMs, signal);
      room = isLate ? MAX_UNANSWERED : 1;
    }
    return null;
  }

  async #look(entry: Entry, request: LogonRequest): Promise<void> {
    if (this.#shared !== null) {
      this.#learn(entry, await this.#shared.look(request));
    }
    entry.standing = aged(entry.standing, this.#now(), request.secret === null);
  }

  /** What other processes have found out; what this one has is never older than what it wrote. */
  #learn(entry: Entry, view: SharedView | null): void {
    const { synced } = entry;
    if (view === null || entry.unwritten > 0 || entry.isAhead) {
      return;
    }
    const isSameFile = synced?.salt === view.salt;
    if (isSameFile && view.revision < synced.revision) {
      return;
    }
    if (view.standing !== null) {
      entry.standing = view.standing;
    } else if (isSameFile && view.revision > synced.revision) {
      // It was there: `sallyport retry` has made it forgotten.
      entry.standing = UNPROVEN;
    }
    entry.synced = { salt: view.salt, revision: view.revision };
  }

  #checkOpen({ standing, unanswered, silentUntil }: Entry, request: LogonRequest): void {
    const now = this.#now();
    if (standing.verdict === 'refused') {
      throw refusedBefore(standing, request, now);
    }
    if (isClosed(standing, now)) {
      throw inDoubt(standing, request);
    }
    if (now < silentUntil && silentUntil - now <= CLOSED_MS) {
      throw unansweredError(request, unanswered);
    }
  }

  #admit(entry: Entry, request: LogonRequest, { isAlone, lease }: Hold): LogonTicket {
    const proven = entry.standing.verdict === 'proven';
    let isSent = false;
    const end = (change: ((standing: Standing) => Standing) | null): void => {
      if (change !== null) {
        entry.standing = change(entry.standing);
      }
      if (isAlone) {
        this.#leave(entry);
      }
      void this.#write(entry, request, lease, change);
    };
    return {
      proven,
      get isInDoubt() {
        return !isAlone && (entry.standing.strikes > 0 || entry.standing.verdict === 'refused');
      },
      lastLegSent: () => {
        isSent = true;
      },
      accepted: () => {
        const now = this.#now();
        entry.unanswered = 0;
        entry.silentUntil = 0;
        end(() => accept(now));
      },
      refused: () => {
        const now = this.#now();
        end((standing) => refuse(standing, now, request.place));
      },
      undecided: () => {
        if (isSent && entry.standing.verdict === 'unproven') {
          this.#strike(entry);
        }
        end(null);
      },
    };
  }

  #strike(entry: Entry): void {
    entry.unanswered += 1;
    if (entry.unanswered >= MAX_UNANSWERED) {
      entry.silentUntil = this.#now() + CLOSED_MS;
    }
  }

  async #write(
    entry: Entry,
    request: LogonRequest,
    lease: string | null,
    change: ((standing: Standing) => Standing) | null,
  ): Promise<void> {
    if (this.#shared === null || (lease === null && change === null)) {
      return;
    }
    entry.unwritten += 1;
    const view = await this.#shared.settle(request, lease, change);
    entry.unwritten -= 1;
    if (change !== null) {
      entry.isAhead = view === null;
    }
    this.#learn(entry, view);
  }

  #leave(entry: Entry): void {
    entry.underWay -= 1;
    for (const wake of entry.waiting) {
      wake();
    }
  }

  /** Until an attempt ends (`false`) or the longest wait is over (`true`). */
  #wait(entry: Entry, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        entry.waiting.delete(wake);
        settle();
      };
      const wake = (): void => end(() => resolve(false));
      const abort = (): void => end(() => reject(signal.reason));
      const timer = setTimeout(() => end(() => resolve(true)), this.#maxWaitMs);
      signal.addEventListener('abort', abort, { once: true });
      entry.waiting.add(wake);
    });
  }
}

/**
 * One memory for the whole process: two clients with the same wrong password are one account; and one for all processes of
 * this user, where the environment names a place for it.
 */
export const processLogonGate: LogonGate = new LogonGate({ shared: new SharedLogons() });
