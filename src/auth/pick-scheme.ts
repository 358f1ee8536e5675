// Which offer of a server to answer: allow-list x offers x identity -> a mechanism, and for everything that was
// left a reason. Pure; turning the reasons into words is `refusals.ts`.
import type { Challenge } from '../http1/challenges.ts';
import { isScheme } from '../http1/challenges.ts';
import type { AllowedScheme, Mechanism, NegotiateForm } from './mechanisms.ts';
import { ALLOWED_SCHEMES, schemeOf } from './mechanisms.ts';

export interface PickInput {
  readonly offers: readonly Challenge[];
  /** In order of preference. */
  readonly allow: readonly AllowedScheme[];
  readonly hasIdentity: boolean;
  /** Mechanisms this server refused before any credential was judged. */
  readonly setAside: ReadonlySet<Mechanism>;
  readonly negotiateForm: NegotiateForm;
  /** Whether the credentials would travel inside TLS. */
  readonly encrypted: boolean;
  readonly allowBasicHttp: boolean;
}

export type RefusalReason =
  | 'unsupported'
  | 'not-allowed'
  | 'no-credentials'
  | 'set-aside'
  | 'clear-text'
  | 'would-be-downgrade';

export interface Refusal {
  /** As the server wrote it. */
  readonly scheme: string;
  readonly reason: RefusalReason;
}

export interface Pick {
  readonly chosen: Mechanism | null;
  /** One for each offered scheme that was not chosen and could not have been. */
  readonly refusals: readonly Refusal[];
}

/** Chooses; `chosen` is `null` when nothing offered may be answered. */
export function pickScheme(input: PickInput): Pick {
  const refusals = input.offers.flatMap((offer) => {
    const reason = refuse(offer, input);
    return reason === null ? [] : [{ scheme: offer.scheme, reason }];
  });
  const usable = candidates(input).filter((mechanism) => {
    const offer = input.offers.find((one) => isScheme(one, schemeOf(mechanism)));
    return offer !== undefined && refuse(offer, input) === null && !input.setAside.has(mechanism);
  });
  return { chosen: usable[0] ?? null, refusals };
}

/**
 * The mechanisms in the order they are tried. The second form of Negotiate comes last among those
 * that carry NTLM: where raw NTLMSSP was refused, a plain `NTLM` offer is the likelier one.
 */
function candidates({ allow, negotiateForm }: PickInput): Mechanism[] {
  const order: Mechanism[] = allow.map((scheme) => {
    if (scheme !== 'negotiate') {
      return scheme;
    }
    return negotiateForm === 'spnego' ? 'negotiate-spnego' : 'negotiate-ntlm';
  });
  if (allow.includes('negotiate') && negotiateForm === 'auto') {
    order.push('negotiate-spnego');
  }
  return order;
}

function refuse(offer: Challenge, input: PickInput): RefusalReason | null {
  const scheme = ALLOWED_SCHEMES.find((known) => isScheme(offer, known));
  if (scheme === undefined) {
    return 'unsupported';
  }
  if (scheme === 'basic' && !input.encrypted && !input.allowBasicHttp) {
    return 'clear-text';
  }
  if (!input.allow.includes(scheme)) {
    return 'not-allowed';
  }
  if (!input.hasIdentity) {
    return 'no-credentials';
  }
  if (scheme === 'basic' && input.setAside.size > 0) {
    // Never from a stronger scheme that failed down to Basic: a man in the middle could make it fail.
    return 'would-be-downgrade';
  }
  const ways = candidates(input).filter((one) => schemeOf(one).toLowerCase() === scheme);
  return ways.every((one) => input.setAside.has(one)) ? 'set-aside' : null;
}
