// Keeps accounts from being locked by us: an unproven secret is tried by one connection at a time, and after one
// refusal by none. Owns that memory, for this process; knows no sockets and no schemes.
import { SallyportError } from '../errors/sallyport-error.ts';

/**
 * How long others wait for an attempt whose last leg is unanswered. A wrong password is answered at
 * once; an answer that takes longer waits for the origin (docs/defaults.md).
 */
const MAX_WAIT_MS = 10_000;

/** The right to send one last leg. Exactly one of its methods is called. */
export interface LogonTicket {
  /** Whether this secret was accepted at this place before: a refusal is then no wrong password. */
  readonly proven: boolean;
  accepted(): void;
  refused(): void;
  /** The attempt ended without a verdict: a lost connection, a scheme that was set aside. */
  undecided(): void;
}

interface Entry {
  verdict: 'unproven' | 'proven' | 'refused';
  /** Who is trying the unproven secret now, and what wakes those who wait. */
  trying: Promise<void> | null;
}

export class LogonGate {
  readonly #entries = new Map<string, Entry>();
  readonly #maxWaitMs: number;

  constructor(maxWaitMs = MAX_WAIT_MS) {
    this.#maxWaitMs = maxWaitMs;
  }

  /**
   * Waits until this (account, secret) may be tried at this place.
   *
   * @param key place, account and secret, as one opaque word
   * @param place `host` in the error
   * @throws SallyportError CREDENTIALS_REFUSED when the secret was refused before: nothing is sent
   * @throws the reason of `signal` when it aborts
   */
  async enter(key: string, place: string, signal: AbortSignal): Promise<LogonTicket> {
    const entry = this.#entries.get(key) ?? { verdict: 'unproven', trying: null };
    this.#entries.set(key, entry);
    while (entry.verdict === 'unproven' && entry.trying !== null) {
      await this.#wait(entry, signal);
    }
    signal.throwIfAborted();
    if (entry.verdict === 'refused') {
      throw new SallyportError(
        'CREDENTIALS_REFUSED',
        `${place} refused these credentials a moment ago; they were not sent again`,
        { hint: 'So that the account is not locked, they are tried again only when they change.' },
      );
    }
    return this.#admit(entry);
  }

  #admit(entry: Entry): LogonTicket {
    const proven = entry.verdict === 'proven';
    let wake = (): void => undefined;
    const trying = proven ? null : new Promise<void>((resolve) => (wake = resolve));
    entry.trying = trying ?? entry.trying;
    const end = (verdict: Entry['verdict'] | null): void => {
      entry.verdict = verdict ?? entry.verdict;
      if (entry.trying === trying) {
        entry.trying = null;
      }
      wake();
    };
    return {
      proven,
      accepted: () => end('proven'),
      // A secret that was accepted once is right: this refusal is about the URL, or a policy.
      refused: () => end(entry.verdict === 'proven' ? null : 'refused'),
      undecided: () => end(null),
    };
  }

  /** Until the attempt ends; after the longest wait the turn passes to this one. */
  async #wait(entry: Entry, signal: AbortSignal): Promise<void> {
    const { trying } = entry;
    signal.throwIfAborted();
    let stop = (): void => undefined;
    const limit = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        if (entry.trying === trying) {
          entry.trying = null;
        }
        resolve();
      }, this.#maxWaitMs);
      const abort = (): void => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      stop = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
    });
    try {
      await Promise.race([trying, limit]);
    } finally {
      stop();
    }
  }
}

/** One memory for the whole process: two clients with the same wrong password are one account. */
export const processLogonGate: LogonGate = new LogonGate();
