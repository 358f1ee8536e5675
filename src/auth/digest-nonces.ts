// The nonces of Digest, shared by all requests of one client: which one a server takes at once, and how often each was used.
// Owns the counting (RFC 7616 section 3.4: no count is used twice); holds no password.
import { randomBytes } from 'node:crypto';
import type { DigestChallenge } from '../digest/digest-challenge.ts';

/** Nonces whose count is kept, and servers; the one that rests longest goes. Each request that was challenged anew brings one. */
const MAX_NONCES = 1000;

interface Use {
  count: number;
  readonly cnonce: string;
}

export class DigestNonces {
  readonly #challenges = new Map<string, DigestChallenge>();
  readonly #uses = new Map<string, Use>();

  /** The challenge whose nonce this server took last; `null` where nothing is known. */
  known(server: string): DigestChallenge | null {
    return this.#challenges.get(server) ?? null;
  }

  /** An answer to this challenge was accepted: others may begin with its nonce at once. */
  learn(server: string, challenge: DigestChallenge): void {
    renew(this.#challenges, server, challenge);
  }

  /**
   * `nextnonce` of an accepting answer (RFC 7616 section 3.5). A `-sess` secret hangs on its first nonce, so that one
   * stays until it is stale.
   */
  follow(server: string, nextNonce: string): void {
    const known = this.known(server);
    if (known !== null && !known.isSession) {
      this.learn(server, { ...known, nonce: nextNonce });
    }
  }

  /** The next count of this nonce, and the one cnonce that goes with it. */
  next(server: string, nonce: string): { readonly nonceCount: number; readonly cnonce: string } {
    const key = `${server} ${nonce}`;
    const use = this.#uses.get(key) ?? { count: 0, cnonce: randomBytes(18).toString('base64') };
    use.count += 1;
    renew(this.#uses, key, use);
    return { nonceCount: use.count, cnonce: use.cnonce };
  }
}

/** Puts it behind all others, and drops the first. */
function renew<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_NONCES) {
    const [first = ''] = map.keys();
    map.delete(first);
  }
}
