// The values of Proxy-Authenticate and WWW-Authenticate: what is offered, and the challenge within a handshake. Owns the
// bad shapes of both.
import type { Habits } from './habits.ts';
import type { SignOnPolicy } from './sign-on.ts';

const BASIC = 'Basic realm="Corporate proxy", charset="UTF-8"';

/** One that is no challenge at all, two whose names only look like a scheme, one parameter twice, quoted scheme names. */
const DECOYS = [
  '="broken"',
  'Magic-Negotiate TlRMTVNTUAACAAAA',
  'NTLM-Wild realm="NTLM"',
  'Wild-and-crazy realm="Negotiate, NTLM", realm="twice"',
];

/**
 * The offers of a bare 407 or 401, one value each.
 *
 * @param isStale whether a Digest nonce was too old, and nothing else was wrong
 */
export function offersOf({ schemes, digest }: SignOnPolicy, isStale: boolean): string[] {
  return schemes.flatMap((scheme) => {
    if (scheme === 'Digest') {
      return digest.offers(isStale);
    }
    return scheme === 'Basic' ? BASIC : scheme;
  });
}

/** The offers as a proxy of these habits makes them, one value for each line. */
export function proxyOffers(policy: SignOnPolicy, isStale: boolean, habits: Habits): string[] {
  let offers = offersOf(policy, isStale);
  if (habits.shows('strips-strong-schemes')) {
    offers = [BASIC];
  }
  if (habits.shows('basic-first')) {
    offers = [BASIC, ...offers.filter((offer) => offer !== BASIC)];
  }
  const lines = withDecoys(inCase(offers, habits), habits);
  return habits.shows('one-line-offers') ? [lines.join(', ')] : lines;
}

/** The lines of a challenge: `Scheme token`, and what else stands around it. */
export function challengeLines(challenge: string, habits: Habits): string[] {
  const padded = habits.shows('padded-token') ? `${challenge.replace(/=*$/, '')}====` : challenge;
  return withDecoys(inCase([padded], habits), habits);
}

function inCase(offers: readonly string[], habits: Habits): string[] {
  return habits.shows('lower-case-schemes')
    ? offers.map((offer) => offer.replace(/^\S+/, (scheme) => scheme.toLowerCase()))
    : [...offers];
}

function withDecoys(offers: readonly string[], habits: Habits): string[] {
  return habits.shows('decoy-offers') ? [...DECOYS, ...offers] : [...offers];
}
