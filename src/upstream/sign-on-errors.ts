// The errors a sign-on ends with, in words: what happened, whose turn it is. Owns these messages; decides nothing.
import type { Mechanism } from '../auth/mechanisms.ts';
import { schemeOf } from '../auth/mechanisms.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { Layer } from '../observe/events.ts';

/** Who is spoken of in the messages. */
export interface Parties {
  readonly layer: Layer;
  /** `host:port` of the server. */
  readonly name: string;
  /** The name that signs on. */
  readonly who: string;
  readonly mechanism: Mechanism | null;
}

/**
 * Failures that say of one mechanism that it cannot begin here and now, and nothing about a password: the next one may be
 * tried.
 */
const CANNOT_BEGIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SIGN_ON_MISSING',
  'SIGN_ON_UNAVAILABLE',
  'SIGN_ON_FAILED',
  'TICKET_MISSING',
  'TICKET_EXPIRED',
  'TICKET_REFUSED',
  'SPN_UNKNOWN',
  'KDC_UNREACHABLE',
  'CLOCK_SKEW',
]);

export function cannotBegin({ code }: SallyportError): boolean {
  return CANNOT_BEGIN.has(code);
}

export function handshakeCut({ name, mechanism }: Parties, cause?: Error): SallyportError {
  const scheme = mechanism === null ? '' : ` by ${schemeOf(mechanism)}`;
  return new SallyportError(
    'HANDSHAKE_CUT',
    `${name} closes the connection during a sign-on${scheme}`,
    {
      cause,
      hint: `Tell the people who run ${name}: a sign-on needs its connection to stay open.`,
    },
  );
}

export function busy({ name, mechanism }: Parties): SallyportError {
  const scheme = mechanism === null ? 'that scheme' : schemeOf(mechanism);
  return new SallyportError(
    'PROXY_REFUSED',
    `${name} begins no sign-on by ${scheme} now, and did before: its authenticators are busy, it seems`,
    { hint: `Try again later; if it goes on, tell the people who run ${name}: they are too few.` },
  );
}

export function nonceLoop({ name }: Parties): SallyportError {
  return new SallyportError(
    'HANDSHAKE_LOOP',
    `${name} calls every nonce of Digest stale, a new one, too`,
    { hint: `Tell the people who run ${name}: nobody can sign on like this.` },
  );
}

/** @param isHere whether this very server accepted the name, not another one of its domain */
export function denied({ layer, name, who }: Parties, isHere: boolean): SallyportError {
  const accepted = isHere ? 'it accepted before' : 'another host of its domain accepted before';
  return new SallyportError(
    layer === 'proxy' ? 'PROXY_DENIED' : 'ORIGIN_DENIED',
    `${name} denies this URL to ${who}, whom ${accepted}`,
    {
      // squid says the same when its helper could not ask the domain (`BH NT_STATUS_UNSUCCESSFUL` in its cache.log).
      hint: `Try again: a server that could not ask its domain for a moment says the same. Unless the password was changed meanwhile, ask the people who run ${name} for access.`,
    },
  );
}

export function ticketRefused({ name, who }: Parties, spn: string): SallyportError {
  return new SallyportError(
    'TICKET_REFUSED',
    `${name} refused the Kerberos ticket of ${who} for ${spn}`,
    {
      hint: `Tell the people who run ${name}: its keytab may be older than the password of the account that owns ${spn}, or this URL is denied.`,
    },
  );
}

/** A password that was typed, or the one the operating system remembers. */
export function passwordRefused(parties: Parties, isSystem: boolean): SallyportError {
  const { name, who } = parties;
  return new SallyportError(
    'CREDENTIALS_REFUSED',
    isSystem
      ? `${name} refused the sign-on of ${who} by NTLM: the password remembered at sign-in is no longer right, the account is disabled or locked, or this URL is denied to it (the answers are alike)`
      : `${name} refused ${who}: the password is wrong, the account is disabled, locked or must change its password, or this URL is denied to it (the answers are alike)`,
    {
      hint: isSystem
        ? 'It was sent once and is not sent again for an hour. Sign in to this machine again, then sallyport retry URL; or give a name with --user.'
        : `They were sent once and are not sent again. ${nameHint(parties)}Check name and password, for example by signing in elsewhere, then try again; sallyport retry URL lets the same ones be sent once more.`,
    },
  );
}

/** The two slips that look like a wrong password. */
function nameHint({ who, mechanism }: Parties): string {
  if (mechanism === 'basic' || mechanism === 'digest') {
    return who.includes('\\')
      ? `For ${schemeOf(mechanism)} this server may want the name without its domain. `
      : '';
  }
  return /[\\@]/.test(who)
    ? ''
    : `The name was sent as ${who}, without a domain; in a shell write "DOMAIN\\name" in quotes. `;
}

/** The library's words do not know which server it was about. */
export function about(name: string, error: SallyportError): SallyportError {
  return error.message.includes(name)
    ? error
    : new SallyportError(error.code, `${name}: ${error.message}`, {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        ...(error.native === undefined ? {} : { native: error.native }),
      });
}
