// A Digest challenge (RFC 7616 section 3.3, RFC 2069): from parameters to what can be answered. Owns the choice of
// algorithm and qop; computes nothing.

export type DigestAlgorithm = 'MD5' | 'SHA-256' | 'SHA-512-256';

export interface DigestChallenge {
  /** Unescaped; one character a byte, as the field was read. */
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly algorithm: DigestAlgorithm;
  /** The name as the server wrote it, to be sent back; `null` where it named none. */
  readonly algorithmName: string | null;
  /** `-sess`: the secret is hashed once more with the first nonce and cnonce. */
  readonly isSession: boolean;
  /** Both protect the same way here, but `auth-int` takes the body in. `null` is the form of RFC 2069. */
  readonly qop: 'auth' | 'auth-int' | null;
  /** Whether the name is wanted as a hash. */
  readonly userhash: boolean;
  /** `charset=UTF-8`; otherwise names and passwords are ISO 8859-1 as far as that goes. */
  readonly isUtf8: boolean;
  /** The credentials were fine, or not looked at: only the nonce was too old. */
  readonly isStale: boolean;
}

/** Strongest first. */
const ALGORITHMS: readonly DigestAlgorithm[] = ['SHA-512-256', 'SHA-256', 'MD5'];
/** A longer one would go back in every request. */
export const MAX_PARAMETER_CHARS = 4096;

/**
 * Reads the parameters of a `Digest` challenge.
 *
 * @param params lower-case names, values unquoted
 * @returns `null` when it cannot be answered: no realm or nonce, an algorithm or qop nobody here knows, a value too long
 */
export function parseDigestChallenge(params: ReadonlyMap<string, string>): DigestChallenge | null {
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  const named = params.get('algorithm') ?? null;
  const [, name = '', session] = /^(.*?)(-sess)?$/i.exec(named ?? 'MD5') ?? [];
  const algorithm = ALGORITHMS.find((known) => known === name.toUpperCase());
  const qop = pickQop(params.get('qop'));
  const isTooLong = [...params.values()].some((value) => value.length > MAX_PARAMETER_CHARS);
  if (
    realm === undefined ||
    nonce === undefined ||
    algorithm === undefined ||
    qop === undefined ||
    isTooLong
  ) {
    return null;
  }
  return {
    realm,
    nonce,
    opaque: params.get('opaque') ?? null,
    algorithm,
    algorithmName: named,
    isSession: session !== undefined,
    qop,
    userhash: isWord(params.get('userhash'), 'true'),
    isUtf8: isWord(params.get('charset'), 'utf-8'),
    isStale: isWord(params.get('stale'), 'true'),
  };
}

/** A higher number is stronger (RFC 7616 section 3.7: the first one a server lists should be the strongest, but is not). */
export function strengthOf({ algorithm }: DigestChallenge): number {
  return ALGORITHMS.length - ALGORITHMS.indexOf(algorithm);
}

/** @returns `undefined` when only unknown ones are named */
function pickQop(said: string | undefined): DigestChallenge['qop'] | undefined {
  const words = (said ?? '')
    .toLowerCase()
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length === 0) {
    return null;
  }
  return (['auth', 'auth-int'] as const).find((known) => words.includes(known));
}

function isWord(value: string | undefined, word: string): boolean {
  return value?.trim().toLowerCase() === word;
}
