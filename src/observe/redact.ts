// What may leave a function towards logs, events and errors. Owns the hiding of user information in
// URLs and of the values of credential headers.

const CREDENTIAL_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'authentication-info',
  'proxy-authentication-info',
]);
const CHALLENGE_HEADERS = new Set(['proxy-authenticate', 'www-authenticate']);
/** Tokens of every scheme are longer than this; scheme names and realms are not touched. */
const TOKEN = /[A-Za-z0-9+/_.~-]{24,}={0,4}/g;

/** Takes user name and password out of whatever looks like a URL: `http://u:p@h` → `http://***@h`. */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');
}

/** The value of a header as a log may show it: the scheme of a credential stays, the token goes. */
export function redactHeader(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (CREDENTIAL_HEADERS.has(lower)) {
    const scheme = /^([A-Za-z-]+) \S/.exec(value)?.[1];
    return scheme === undefined ? '[redacted]' : `${scheme} [redacted]`;
  }
  return CHALLENGE_HEADERS.has(lower)
    ? value.replace(TOKEN, (token) => `[${token.length} characters]`)
    : value;
}
