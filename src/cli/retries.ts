// Which failures can pass by themselves, and how long to wait before another try. Owns that list: what was refused, what is
// not trusted and what is wrong on this side is never tried again.
import type { ErrorCode } from '../errors/codes.ts';
import { errorWord } from '../errors/error-word.ts';
import { isSallyportError } from '../errors/sallyport-error.ts';

/** The network, and servers that have gone in the middle. No sign-on among them: a wrong logon counts. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PROXY_UNREACHABLE',
  'CONNECT_FAILED',
  'CONNECTION_LOST',
  'TIMEOUT',
  'BODY_INCOMPLETE',
  'KDC_UNREACHABLE',
]);
/** Servers that are busy or in repair, and proxies that do not reach them. */
const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504]);
/** A TLS that broke, other than one that is not trusted. */
const BROKEN = new Set([
  ...['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  'the connection was closed',
]);
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** A server that asks for more is not waited for. */
const LONGEST_ASKED_WAIT_MS = 120_000;

/** Methods that may be sent twice without harm (RFC 9110 section 9.2.2). */
export const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * How long to wait after a failure.
 *
 * @param tries that were made
 * @param random between 0 and 1: many who failed at once should not come back at once
 * @returns milliseconds, or `null` where waiting does not help
 */
export function waitAfter(
  failure: unknown,
  tries: number,
  random: () => number = Math.random,
): number | null {
  if (!canPass(failure)) {
    return null;
  }
  const asked = isSallyportError(failure) ? failure.retryAfterMs : undefined;
  if (asked !== undefined) {
    return asked <= LONGEST_ASKED_WAIT_MS ? asked : null;
  }
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
  return Math.round(wait * (0.75 + random() / 4));
}

/** Why `waitAfter` is `null`. */
export function describeRefusal(failure: unknown): string {
  return canPass(failure) && isSallyportError(failure)
    ? `the server asks to wait ${(failure.retryAfterMs ?? 0) / 1000} s, which is too long`
    : 'trying again would not help';
}

function canPass(failure: unknown): boolean {
  if (!isSallyportError(failure)) {
    return false;
  }
  const { code, status, cause } = failure;
  if (code === 'TLS_FAILED' || code === 'PROXY_TLS_FAILED') {
    return BROKEN.has(errorWord(cause));
  }
  if (code === 'HTTP_STATUS' || code === 'PROXY_REFUSED') {
    return status !== undefined && PASSING_STATUS.has(status);
  }
  return PASSING.has(code);
}
