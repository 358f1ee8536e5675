// Retry-After (RFC 9110 section 10.2.3): how long a server asks to be left alone. Owns its two forms.

/**
 * @param value of the header; `undefined` when there is none
 * @param now the time of day, in milliseconds since 1970
 * @returns milliseconds from now, or `undefined` for what cannot be understood
 */
export function parseRetryAfter(
  value: string | undefined,
  now: number = Date.now(),
): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (/^\d{1,9}$/.test(value)) {
    return Number(value) * 1000;
  }
  const moment = parseHttpDate(value);
  return moment === undefined ? undefined : Math.max(moment - now, 0);
}

/** The one form of a date that may be sent (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** @returns milliseconds since 1970, or `undefined` for what is no date */
export function parseHttpDate(value: string): number | undefined {
  const moment = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(moment) ? undefined : moment;
}
