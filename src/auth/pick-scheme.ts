// Which offer of a server to answer: allow-list x offers x identity -> a mechanism, and for everything that was
// left a reason. Pure; turning the reasons into words is `refusals.ts`.
import type { Challenge } from '../http1/challenges.ts';
import { isScheme } from '../http1/challenges.ts';
import { digestIn } from './digest-offers.ts';
import type { AllowedScheme, Mechanism, NegotiateForm } from './mechanisms.ts';
import { ALLOWED_SCHEMES, isNtlm, needsPassword, schemeOf } from './mechanisms.ts';

export interface PickInput {
  readonly offers: readonly Challenge[];
  /** In order of preference. */
  readonly allow: readonly AllowedScheme[];
  /** Who could sign on; `kerberos` tells whether a password may get a ticket, `null` is nobody. */
  readonly identity: 'system' | 'password' | 'password-kerberos' | null;
  /** Whether NTLM may be used at all. */
  readonly allowNtlm: boolean;
  /** Mechanisms this server refused before any credential was judged, or that could not begin. */
  readonly setAside: ReadonlySet<Mechanism>;
  readonly negotiateForm: NegotiateForm;
  /** Whether the credentials would travel inside TLS. */
  readonly encrypted: boolean;
  readonly allowBasicHttp: boolean;
}

export type RefusalReason =
  | 'unsupported'
  | 'not-allowed'
  | 'ntlm-forbidden'
  | 'no-credentials'
  | 'set-aside'
  | 'clear-text'
  | 'would-be-downgrade';

export interface Refusal {
  /** As the server wrote it. */
  readonly scheme: string;
  readonly reason: RefusalReason;
  /** The allow-list that would have let it pass, where it is that what stood in the way. */
  readonly wantsAllowed?: readonly AllowedScheme[];
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
    return reason === null ? [] : [{ scheme: offer.scheme, reason, ...wanting(offer, input) }];
  });
  const usable = candidates(input).filter((mechanism) => {
    const isOffered = input.offers.some(
      (offer) => isScheme(offer, schemeOf(mechanism)) && refuse(offer, input) === null,
    );
    return isOffered && !input.setAside.has(mechanism);
  });
  return { chosen: usable[0] ?? null, refusals };
}

/** What is allowed stays so, but for what stands behind a stronger scheme that failed: it would be a downgrade again. */
function wanting(
  offer: Challenge,
  { allow, setAside }: PickInput,
): { wantsAllowed?: readonly AllowedScheme[] } {
  const scheme = ALLOWED_SCHEMES.find((known) => isScheme(offer, known));
  if (scheme === undefined || allow.includes(scheme)) {
    return {};
  }
  return {
    wantsAllowed: isWeak(offer) && setAside.size > 0 ? [scheme] : [...allow, scheme],
  };
}

/**
 * The mechanisms in the order they are tried. The wrapped form of NTLM comes last among those that
 * carry it: where raw NTLMSSP was refused, a plain `NTLM` offer is the likelier one.
 */
function candidates({ allow, negotiateForm, identity, allowNtlm }: PickInput): Mechanism[] {
  const hasKerberos = identity === 'system' || identity === 'password-kerberos';
  const order = allow.flatMap((scheme): Mechanism[] => {
    if (scheme !== 'negotiate') {
      return [scheme];
    }
    if (negotiateForm === 'spnego') {
      return ['negotiate-spnego'];
    }
    return hasKerberos && negotiateForm === 'auto'
      ? ['negotiate', 'negotiate-ntlm']
      : ['negotiate-ntlm'];
  });
  if (allow.includes('negotiate') && negotiateForm === 'auto') {
    order.push('negotiate-spnego');
  }
  return order.filter((mechanism) => isUsable(mechanism, identity, allowNtlm));
}

function isUsable(
  mechanism: Mechanism,
  identity: PickInput['identity'],
  allowNtlm: boolean,
): boolean {
  return (allowNtlm || !isNtlm(mechanism)) && !(identity === 'system' && needsPassword(mechanism));
}

function refuse(offer: Challenge, input: PickInput): RefusalReason | null {
  const scheme = ALLOWED_SCHEMES.find((known) => isScheme(offer, known));
  if (scheme === undefined || (scheme === 'digest' && digestIn(offer) === null)) {
    return 'unsupported';
  }
  if (scheme === 'basic' && !input.encrypted && !input.allowBasicHttp) {
    return 'clear-text';
  }
  if (!input.allow.includes(scheme)) {
    return 'not-allowed';
  }
  if (input.identity === null || (input.identity === 'system' && needsPassword(scheme))) {
    return 'no-credentials';
  }
  if (isWeak(offer) && input.setAside.size > 0) {
    // Never from a stronger scheme that failed down to this one: a man in the middle could make it fail.
    return 'would-be-downgrade';
  }
  const ways = candidates(input).filter((one) => schemeOf(one).toLowerCase() === scheme);
  if (ways.length === 0) {
    return 'ntlm-forbidden';
  }
  return ways.every((one) => input.setAside.has(one)) ? 'set-aside' : null;
}

/** Basic shows the password; from an answer under MD5 it can be guessed faster than from any other. */
function isWeak(offer: Challenge): boolean {
  return isScheme(offer, 'basic') || digestIn(offer)?.algorithm === 'MD5';
}
