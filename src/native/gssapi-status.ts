// What GSSAPI's statuses mean to a person. Owns the choice of code and sentence; the rows are `gssapi-status-rows.ts`.
import type { ErrorCode } from '../errors/codes.ts';
import type { NativeStatus } from '../errors/sallyport-error.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { GssStatus } from './gssapi-library.ts';
import type { StatusRow } from './gssapi-status-rows.ts';
import {
  CALLING_ERRORS,
  EXPIRED_TICKET,
  KERBEROS_MINORS,
  NO_NTLM_CREDENTIALS,
  NO_TICKET,
  ROUTINE_ERRORS,
  UNPROVEN,
} from './gssapi-status-rows.ts';
import type { ContextMechanism } from './security-context.ts';

/** What was being done. */
export interface GssSubject {
  readonly mechanism: ContextMechanism;
  /** `HTTP/host` */
  readonly spn: string;
  /** Whose password was given; `null` for the signed-in user. */
  readonly principal: string | null;
  /** Whether the server's answer was being read: what fails then is its proof. */
  readonly readsAnswer: boolean;
  /** Whether there were credentials to begin with; where not, a failure without a reason is for want of them. */
  readonly hasCredential: boolean;
}

/** ERROR_TABLE_BASE_krb5, -1765328384, unsigned; MIT and Heimdal number alike from here. */
const KRB5_BASE = 0x96c7_3a00;
const KRB5_SIZE = 256;

const FAILURE = 13;
const NO_CREDENTIAL = 7;
const CC_NOTFOUND = 141;

/** What a server may say of the ticket it got; any other failure over its answer is the lack of a proof. */
const TOLD_BY_SERVER: readonly ErrorCode[] = ['CLOCK_SKEW', 'TICKET_EXPIRED', 'TICKET_REFUSED'];

/**
 * The error of a status.
 *
 * @param text the library's own words (gss_display_status), kept in the message
 */
export function gssError(status: GssStatus, text: string, subject: GssSubject): SallyportError {
  const minor = minorRow(status.minor);
  const row = choose(status.major, minor, subject);
  const sentence = row.says
    .replaceAll('%s', () => subject.spn)
    .replaceAll('%u', () => subject.principal ?? 'the signed-in user');
  return new SallyportError(row.code, text === '' ? sentence : `${sentence} (${text})`, {
    ...(row.hint === undefined ? {} : { hint: row.hint }),
    native: nativeStatus(status),
  });
}

/** `GSS_S_FAILURE` and its like. */
export function majorSymbol(major: number): string {
  const calling = CALLING_ERRORS[major >>> 24];
  const routine = ROUTINE_ERRORS[(major >>> 16) & 0xff]?.symbol;
  return calling ?? routine ?? `0x${major.toString(16).padStart(8, '0')}`;
}

function minorRow(minor: number): StatusRow | undefined {
  const offset = minor - KRB5_BASE;
  return offset > 0 && offset < KRB5_SIZE ? KERBEROS_MINORS[offset] : undefined;
}

function choose(major: number, minor: StatusRow | undefined, subject: GssSubject): StatusRow {
  const error = (major >>> 16) & 0xff;
  const routine = ROUTINE_ERRORS[error] ?? ROUTINE_ERRORS[FAILURE];
  if (subject.mechanism === 'NTLM') {
    // Without winbind's help gss-ntlmssp fails in its first call, for "a required argument".
    const isMissing = error === NO_CREDENTIAL || (error === FAILURE && !subject.readsAnswer);
    return isMissing ? NO_NTLM_CREDENTIALS : (routine ?? UNPROVEN);
  }
  if (!subject.hasCredential) {
    // Heimdal finds a cache without a valid ticket, or no cache at all (minor ENOENT).
    return minor === KERBEROS_MINORS[CC_NOTFOUND] ? EXPIRED_TICKET : (minor ?? NO_TICKET);
  }
  const row = minor ?? routine ?? UNPROVEN;
  return subject.readsAnswer && !TOLD_BY_SERVER.includes(row.code) ? UNPROVEN : row;
}

/** What is kept of a status in an error. */
export function nativeStatus(status: GssStatus): NativeStatus {
  const minor = minorRow(status.minor);
  const symbols = [majorSymbol(status.major), ...(minor === undefined ? [] : [minor.symbol])];
  return {
    api: 'GSSAPI',
    call: status.call,
    status: status.major,
    ...(status.minor === 0 ? {} : { minor: status.minor }),
    symbol: symbols.join(' '),
  };
}
