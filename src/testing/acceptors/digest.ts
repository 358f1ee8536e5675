// Digest (RFC 7616) as a proxy judges it, request by request. Owns the nonces of one listener: which are alive, and which
// counts were used. Shares no code with Sallyport's client.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Account, Accounts } from '../accounts.ts';
import type { RefusalReason } from './acceptor.ts';

export type DigestAlgorithmName =
  | 'MD5'
  | 'MD5-sess'
  | 'SHA-256'
  | 'SHA-256-sess'
  | 'SHA-512-256'
  | 'SHA-512-256-sess';

/** How a Digest proxy behaves. */
export interface DigestBehaviour {
  /** Default `Corporate "proxy"`. */
  readonly realm?: string;
  /** One challenge each, in this order. Default `['MD5']`, unnamed, as squid sends it. */
  readonly algorithms?: readonly DigestAlgorithmName[];
  /** `null` makes the form of RFC 2069. Default `auth`. */
  readonly qop?: 'auth' | null;
  /** Asks for hashed names. Default `false`. */
  readonly userhash?: boolean;
  /** Says `charset=UTF-8`. Default `false`: names and passwords are ISO 8859-1. */
  readonly utf8?: boolean;
  /** Requests a nonce is good for, then it is stale; 0 calls each one stale. Default: any number. */
  readonly nonceUses?: number;
  /** Sends `nextnonce` with each accepted request. Default `false`. */
  readonly nextNonce?: boolean;
}

export interface DigestVerdict {
  readonly reason: RefusalReason | null;
  /** The account's id, else what the client wrote. */
  readonly user: string | null;
  readonly isStale: boolean;
  /** For a `Proxy-Authentication-Info` field. */
  readonly info: string | null;
}

interface Named {
  /** As it was sent. */
  readonly userId: string;
  readonly account: Account;
}

interface Nonce {
  uses: number;
  readonly counts: Set<string>;
}

const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;
/** Each begins where the last one ended (`y`): what is none ends the list, and is not searched for others. */
const PARAMETER = /[\s,]*([a-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/giy;

/** What one listener knows of the nonces it gave out. */
export class DigestAuthority {
  readonly #behaviour: DigestBehaviour;
  readonly #accounts: Accounts;
  readonly #nonces = new Map<string, Nonce>();

  constructor(behaviour: DigestBehaviour, accounts: Accounts) {
    this.#behaviour = behaviour;
    this.#accounts = accounts;
  }

  get #realm(): string {
    return this.#behaviour.realm ?? 'Corporate "proxy"';
  }

  /** The offers of a 407 or 401, one value each, all with a nonce of their own. */
  offers(isStale: boolean): string[] {
    const { algorithms, qop = 'auth', userhash, utf8 } = this.#behaviour;
    return (algorithms ?? [null]).map((algorithm) =>
      [
        `Digest realm=${quote(this.#realm)}`,
        `nonce="${this.#newNonce()}"`,
        'opaque="a\\"b"',
        ...(algorithm === null ? [] : [`algorithm=${algorithm}`]),
        ...(qop === null ? [] : [`qop="${qop}"`]),
        ...(userhash ? ['userhash=true'] : []),
        ...(utf8 ? ['charset=UTF-8'] : []),
        ...(isStale ? ['stale=true'] : []),
      ].join(', '),
    );
  }

  /**
   * Judges the parameters of one `Proxy-Authorization: Digest ...` or `Authorization: Digest ...` field.
   *
   * @param text what stands behind the scheme, one character a byte
   */
  judge(
    text: string,
    request: { readonly method: string; readonly target: string },
  ): DigestVerdict {
    const params = parse(text);
    if (!this.#isWellFormed(params)) {
      return refused('malformed', params.get('username') ?? null);
    }
    const named = this.#find(params);
    if (named === null) {
      return refused('unknown-user', params.get('username') ?? null);
    }
    const { id } = named.account;
    const nonce = this.#nonces.get(params.get('nonce') ?? '');
    if (nonce === undefined) {
      return refused('nonce', id, true);
    }
    if (params.get('uri') !== request.target) {
      return refused('digest-uri', id);
    }
    if (!isSame(params.get('response') ?? '', this.#response(params, named, request.method))) {
      return refused('wrong-password', id);
    }
    const { nonceUses = Number.POSITIVE_INFINITY, nextNonce = false } = this.#behaviour;
    const count = params.get('nc') ?? `${nonce.uses}`;
    if (nonce.counts.has(count)) {
      return refused('nonce-count', id, true);
    }
    if (nonce.uses >= nonceUses) {
      return refused('nonce', id, true);
    }
    nonce.uses += 1;
    nonce.counts.add(count);
    const info = nextNonce ? `nextnonce="${this.#newNonce()}"` : null;
    return { reason: null, user: id, isStale: false, info };
  }

  #newNonce(): string {
    const nonce = randomBytes(16).toString('base64');
    this.#nonces.set(nonce, { uses: 0, counts: new Set() });
    return nonce;
  }

  /** Names the fields a client must echo, and those it must add. */
  #isWellFormed(params: ReadonlyMap<string, string>): boolean {
    const { algorithms, qop = 'auth' } = this.#behaviour;
    const algorithm = params.get('algorithm');
    const isKnown =
      algorithms === undefined
        ? algorithm === undefined
        : algorithms.some((known) => known === algorithm);
    const hasCount =
      qop === null
        ? !params.has('nc')
        : params.get('qop') === qop &&
          /^[0-9a-f]{8}$/.test(params.get('nc') ?? '') &&
          params.has('cnonce');
    return (
      isKnown && hasCount && params.get('realm') === this.#realm && params.get('opaque') === 'a"b'
    );
  }

  /** The user by the name as it was sent: the hashes are made of that one. */
  #find(params: ReadonlyMap<string, string>): Named | null {
    const sent = params.get('username') ?? params.get('username*') ?? '';
    const { algorithm } = partsOf(params);
    const isSent = (userId: string): boolean => {
      if (params.get('userhash') === 'true') {
        return hash(algorithm, this.#encode(userId), `:${this.#realm}`) === sent;
      }
      return params.has('username*')
        ? sent === `UTF-8''${encodeURIComponent(userId)}`
        : this.#encode(userId).toString('latin1') === sent;
    };
    const found = this.#accounts.userIds().find(([userId]) => isSent(userId));
    return found === undefined ? null : { userId: found[0], account: found[1] };
  }

  #response(params: ReadonlyMap<string, string>, { userId, account }: Named, method: string) {
    const { algorithm, isSession } = partsOf(params);
    const said = (...names: readonly string[]): string =>
      names.map((name) => params.get(name) ?? '').join(':');
    const password = this.#encode(account.user.password);
    const secret = hash(algorithm, this.#encode(userId), `:${this.#realm}:`, password);
    const a1 = isSession ? hash(algorithm, `${secret}:${said('nonce', 'cnonce')}`) : secret;
    const a2 = hash(algorithm, `${method}:${said('uri')}`);
    const middle = params.has('qop') ? said('nonce', 'nc', 'cnonce', 'qop') : said('nonce');
    return hash(algorithm, `${a1}:${middle}:${a2}`);
  }

  #encode(text: string): Buffer {
    return Buffer.from(text.normalize('NFC'), this.#behaviour.utf8 ? 'utf8' : 'latin1');
  }
}

function refused(reason: RefusalReason, user: string | null, isStale = false): DigestVerdict {
  return { reason, user, isStale, info: null };
}

function parse(text: string): Map<string, string> {
  const found = [...text.matchAll(PARAMETER)];
  return new Map(
    found.map(([, name = '', quoted, plain = '']) => [
      name.toLowerCase(),
      quoted?.replaceAll(/\\(.)/g, '$1') ?? plain,
    ]),
  );
}

function partsOf(params: ReadonlyMap<string, string>) {
  const name = params.get('algorithm') ?? 'MD5';
  const isSession = name.endsWith('-sess');
  return { algorithm: HASHES[name.replace('-sess', '') as keyof typeof HASHES], isSession };
}

function hash(algorithm: string, ...parts: readonly (string | Buffer)[]): string {
  const hashing = createHash(algorithm);
  for (const part of parts) {
    hashing.update(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  }
  return hashing.digest('hex');
}

function isSame(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}
