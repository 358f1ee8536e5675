// Keeps accounts from being locked by us: an unproven secret is tried by one connection at a time, and after one
// refusal by none. Owns that memory, for this process; knows no sockets and no schemes.
import { SallyportError } from '../errors/sallyport-error.ts';

/**
 * How long others wait for an attempt whose last leg is unanswered. A wrong password is answered at
 * once; an answer that takes longer waits for the origin (docs/defaults.md).
 */
const MAX_WAIT_MS = 10_000;
/** Attempts without a verdict that may stand at the same time, or one after the other. */
const MAX_UNANSWERED = 2;
/**
 * Refusals in a row of a secret that was accepted before. Each may be a URL that is denied, or a
 * password that was changed: the answers are alike.
 */
const MAX_DOUBTS = 3;
/**
 * How long after an acceptance any number may sign on at once; then one goes first again: passwords
 * are changed while programs run.
 */
const TRUSTED_MS = 60_000;
/** Then nothing is sent for so long; accounts forget wrong passwords in about that time. */
const CLOSED_MS = 10 * 60_000;

/** The right to send one last leg. One of `accepted`, `refused`, `undecided` is called, once. */
export interface LogonTicket {
  /** Whether this secret was accepted at this place before: a refusal need not be a wrong password. */
  readonly proven: boolean;
  /** The credentials are on their way: from now on no verdict is a fact of its own. */
  lastLegSent(): void;
  accepted(): void;
  refused(): void;
  /** The attempt ended without a verdict: a lost connection, a scheme that was set aside. */
  undecided(): void;
}

interface Entry {
  verdict: 'unproven' | 'proven' | 'refused';
  /** Refusals of a proven secret, or unanswered last legs, in a row. */
  strikes: number;
  closedUntil: number;
  acceptedAt: number;
  /** Attempts with an unproven or doubted secret. */
  underWay: number;
  readonly waiting: Set<() => void>;
}

export class LogonGate {
  readonly #entries = new Map<string, Entry>();
  readonly #maxWaitMs: number;
  readonly #now: () => number;

  /** @param deps a shorter wait and a monotonic clock (milliseconds), for tests */
  constructor(deps: { readonly maxWaitMs?: number; readonly now?: () => number } = {}) {
    this.#maxWaitMs = deps.maxWaitMs ?? MAX_WAIT_MS;
    this.#now = deps.now ?? (() => performance.now());
  }

  /**
   * Waits until this (account, secret) may be tried at this place.
   *
   * @param key place, account and secret, as one opaque word
   * @param place `host:port` in the error
   * @throws SallyportError CREDENTIALS_REFUSED when the secret was refused before: nothing is sent
   * @throws the reason of `signal` when it aborts
   */
  async enter(key: string, place: string, signal: AbortSignal): Promise<LogonTicket> {
    const entry = this.#entryOf(key);
    while (true) {
      signal.throwIfAborted();
      this.#checkOpen(entry, place);
      const isFresh = this.#now() - entry.acceptedAt < TRUSTED_MS;
      const trusted = entry.verdict === 'proven' && entry.strikes === 0 && isFresh;
      if (trusted || entry.underWay === 0) {
        return this.#admit(entry, trusted);
      }
      const isLate = await this.#wait(entry, signal);
      if (isLate && entry.underWay < MAX_UNANSWERED) {
        this.#checkOpen(entry, place);
        return this.#admit(entry, false);
      }
    }
  }

  #entryOf(key: string): Entry {
    const entry = this.#entries.get(key) ?? {
      verdict: 'unproven',
      strikes: 0,
      closedUntil: 0,
      acceptedAt: 0,
      underWay: 0,
      waiting: new Set(),
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #checkOpen(entry: Entry, place: string): void {
    if (entry.verdict === 'refused') {
      throw new SallyportError(
        'CREDENTIALS_REFUSED',
        `${place} refused these credentials a moment ago; they were not sent again`,
        { hint: 'So that the account is not locked, they are tried again only when they change.' },
      );
    }
    if (this.#now() < entry.closedUntil) {
      throw new SallyportError(
        'CREDENTIALS_REFUSED',
        `${place} did not accept these credentials ${entry.strikes} times in a row; they are not sent for 10 min`,
        {
          hint: 'The password may have changed, or the proxy denies these URLs or breaks the sign-on. Sign in elsewhere to find out.',
        },
      );
    }
  }

  #admit(entry: Entry, trusted: boolean): LogonTicket {
    const proven = entry.verdict === 'proven';
    let isSent = false;
    const end = (change: () => void): void => {
      change();
      entry.underWay -= trusted ? 0 : 1;
      for (const wake of entry.waiting) {
        wake();
      }
    };
    entry.underWay += trusted ? 0 : 1;
    return {
      proven,
      lastLegSent: () => {
        isSent = true;
      },
      accepted: () =>
        end(() => {
          entry.verdict = 'proven';
          entry.acceptedAt = this.#now();
          entry.strikes = 0;
        }),
      refused: () =>
        end(() => {
          if (entry.verdict === 'proven') {
            this.#strike(entry, MAX_DOUBTS);
          } else {
            entry.verdict = 'refused';
          }
        }),
      undecided: () =>
        end(() => {
          if (isSent && entry.verdict === 'unproven') {
            this.#strike(entry, MAX_UNANSWERED);
          }
        }),
    };
  }

  #strike(entry: Entry, limit: number): void {
    entry.strikes += 1;
    if (entry.strikes >= limit) {
      entry.closedUntil = this.#now() + CLOSED_MS;
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

/** One memory for the whole process: two clients with the same wrong password are one account. */
export const processLogonGate: LogonGate = new LogonGate();
