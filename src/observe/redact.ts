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

/** A path may have an `@` of its own. */
const USER_IN_FRONT = /^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i;
/** Enough to know a request by. */
const MAX_TARGET_CHARS = 200;

/**
 * The target of a request as a log may show it: without query and fragment, which hold signatures and tokens, without user
 * name and password, cut when it is long.
 */
export function redactTarget(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1);
  const isPlain = path.startsWith('/') || (/^https?:\/\//i.test(path) && URL.canParse(path));
  return shorten(
    isPlain ? path.replace(USER_IN_FRONT, '$1***@') : redactUrl(path),
    MAX_TARGET_CHARS,
  );
}

/** What may stand in front of credentials within a sentence. */
const WITHIN_TEXT =
  /\b(Basic|Bearer|Digest|Negotiate|NTLM|Proxy-Authorization:|Authorization:)(\s+)\S{8,}/gi;
/** More is not looked at: each of these patterns takes the square of it at worst. */
const MAX_TEXT_CHARS = 4096;
const USER_WITHIN_URL = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#]*@/gi;
const QUERY_WITHIN_URL = /\b(https?:\/\/[^\s?#]*)[?#][^\s"']*/gi;

/**
 * A sentence as a log may show it, whoever wrote it: user names and queries of URLs and credentials go, and it is cut.
 *
 * @param most characters
 */
export function redactText(text: string, most = 500): string {
  const read = text.length > MAX_TEXT_CHARS ? wholeWords(text, MAX_TEXT_CHARS) : text;
  return shorten(
    read
      .replace(USER_WITHIN_URL, '$1***@')
      .replace(QUERY_WITHIN_URL, '$1?***')
      .replace(WITHIN_TEXT, '$1$2[redacted]'),
    most,
  );
}

/** A word that is cut could have lost what tells that it is a secret. */
function wholeWords(text: string, most: number): string {
  let end = most;
  while (end > 0 && /\S/.test(text.charAt(end - 1))) {
    end -= 1;
  }
  return text.slice(0, end);
}

function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
