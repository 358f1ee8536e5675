// Which of several Digest offers to answer, and what an accepting answer says of the next nonce. Owns these two readings
// of header fields; pure.

import type { DigestChallenge } from '../digest/digest-challenge.ts';
import {
  MAX_PARAMETER_CHARS,
  parseDigestChallenge,
  strengthOf,
} from '../digest/digest-challenge.ts';
import { canHash } from '../digest/digest-credentials.ts';
import type { Challenge } from '../http1/challenges.ts';
import { isScheme, parseChallenges } from '../http1/challenges.ts';

/** The challenge in an offer; `null` when it is no Digest, or one that cannot be answered here. */
export function digestIn(offer: Challenge): DigestChallenge | null {
  const challenge = isScheme(offer, 'Digest') ? parseDigestChallenge(offer.params) : null;
  return challenge !== null && canHash(challenge.algorithm) ? challenge : null;
}

/** The strongest one, whatever the order; unknown algorithms are passed over (RFC 7616 section 3.7). */
export function strongestDigest(offers: readonly Challenge[]): DigestChallenge | null {
  const usable = offers.map(digestIn).filter((one) => one !== null);
  return usable.toSorted((a, b) => strengthOf(b) - strengthOf(a))[0] ?? null;
}

/** `nextnonce` of an `Authentication-Info` or `Proxy-Authentication-Info` field; `null` for none, or one too long. */
export function nextNonceIn(field: string | undefined): string | null {
  const [info] = field === undefined ? [] : parseChallenges([`Info ${field}`]);
  const nonce = info?.params.get('nextnonce') ?? '';
  return nonce === '' || nonce.length > MAX_PARAMETER_CHARS ? null : nonce;
}
