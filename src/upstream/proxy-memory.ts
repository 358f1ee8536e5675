// What was learned of each proxy or origin while this client lived: the mechanism that worked, and those it refused.
// Owns these facts; holds no credential.
import type { Mechanism } from '../auth/mechanisms.ts';

/** A refused mechanism may be mended on the other side: after this it is tried again. */
const SET_ASIDE_MS = 10 * 60_000;

interface Facts {
  preferred: Mechanism | null;
  readonly setAside: Map<Mechanism, number>;
}

export class ProxyMemory {
  readonly #facts = new Map<string, Facts>();
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The mechanism to begin with at once, without waiting for a challenge. */
  preferred(host: string): Mechanism | null {
    return this.#facts.get(host)?.preferred ?? null;
  }

  learn(host: string, mechanism: Mechanism): void {
    this.#of(host).preferred = mechanism;
  }

  setAside(host: string, mechanism: Mechanism): void {
    const facts = this.#of(host);
    facts.setAside.set(mechanism, this.#now() + SET_ASIDE_MS);
    facts.preferred = facts.preferred === mechanism ? null : facts.preferred;
  }

  asideAt(host: string): ReadonlySet<Mechanism> {
    const now = this.#now();
    const aside = [...(this.#facts.get(host)?.setAside ?? [])];
    return new Set(aside.filter(([, until]) => until > now).map(([mechanism]) => mechanism));
  }

  #of(host: string): Facts {
    const facts = this.#facts.get(host) ?? { preferred: null, setAside: new Map() };
    this.#facts.set(host, facts);
    return facts;
  }
}
