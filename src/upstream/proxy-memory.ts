// What was learned of each proxy or origin while this client lived: the mechanism and service name that worked, and
// what was set aside, and why. Owns these facts; holds no credential.
import type { Mechanism } from '../auth/mechanisms.ts';
import type { AuthSession } from '../auth/session.ts';
import type { ErrorCode } from '../errors/codes.ts';
import type { SallyportError } from '../errors/sallyport-error.ts';

/** A refused mechanism may be mended on the other side: after this it is tried again. */
const SET_ASIDE_MS = 10 * 60_000;
/** A new ticket may come at any moment, and looking for it costs nobody anything: no network, and no logon. */
const NO_TICKET_ASIDE_MS = 5000;
const NO_TICKET: ReadonlySet<ErrorCode | undefined> = new Set(['TICKET_MISSING', 'TICKET_EXPIRED']);
/**
 * Refusals in a row of a ticket that was accepted here before. Each may be a URL that is denied, or the
 * proxy's new keytab: the answers are alike.
 */
const MAX_TICKET_DOUBTS = 3;

/** How to begin with a server at once, without waiting for its challenge. */
export interface Preference {
  readonly mechanism: Mechanism;
  readonly proof: AuthSession['proof'];
}

interface Facts {
  preferred: Preference | null;
  spn: string | null;
  wantsTokenEachTime: boolean;
  ticketDoubts: number;
  readonly setAside: Map<
    Mechanism,
    { readonly until: number; readonly cause: SallyportError | null }
  >;
}

export class ProxyMemory {
  readonly #facts = new Map<string, Facts>();
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  preferred(host: string): Preference | null {
    return this.#facts.get(host)?.preferred ?? null;
  }

  learn(host: string, preference: Preference): void {
    const facts = this.#of(host);
    facts.preferred = preference;
    facts.ticketDoubts = 0;
  }

  /** The service name that got a ticket, where it was not the first one tried. */
  spn(host: string): string | null {
    return this.#facts.get(host)?.spn ?? null;
  }

  learnSpn(host: string, spn: string): void {
    this.#of(host).spn = spn;
  }

  /** Some servers judge a ticket with every request, whatever the connection (`Persistent-Auth: false`, MS-N2HT). */
  wantsTokenEachTime(host: string): boolean {
    return this.#facts.get(host)?.wantsTokenEachTime ?? false;
  }

  learnTokenEachTime(host: string): void {
    this.#of(host).wantsTokenEachTime = true;
  }

  /** @returns whether this refusal of a ticket is rather about the URL: the ticket was accepted here before */
  doubtTicket(host: string): boolean {
    const facts = this.#of(host);
    facts.ticketDoubts += 1;
    return facts.preferred?.proof === 'ticket' && facts.ticketDoubts < MAX_TICKET_DOUBTS;
  }

  /**
   * @param cause why it could not begin; `null` when the server refused it
   * @returns for how long, in milliseconds
   */
  setAside(host: string, mechanism: Mechanism, cause: SallyportError | null): number {
    const facts = this.#of(host);
    const forMs = NO_TICKET.has(cause?.code) ? NO_TICKET_ASIDE_MS : SET_ASIDE_MS;
    facts.setAside.set(mechanism, { until: this.#now() + forMs, cause });
    facts.preferred = facts.preferred?.mechanism === mechanism ? null : facts.preferred;
    return forMs;
  }

  /** It was set aside for nothing. */
  takeBack(host: string, mechanism: Mechanism): void {
    this.#of(host).setAside.delete(mechanism);
  }

  asideAt(host: string): ReadonlyMap<Mechanism, SallyportError | null> {
    const now = this.#now();
    const aside = [...(this.#facts.get(host)?.setAside ?? [])];
    return new Map(
      aside.filter(([, { until }]) => until > now).map(([one, { cause }]) => [one, cause]),
    );
  }

  #of(host: string): Facts {
    const facts = this.#facts.get(host) ?? {
      preferred: null,
      spn: null,
      wantsTokenEachTime: false,
      ticketDoubts: 0,
      setAside: new Map(),
    };
    this.#facts.set(host, facts);
    return facts;
  }
}
