// `WWW-Authenticate` and `Proxy-Authenticate` (RFC 9110 section 11). Owns the list syntax with its ambiguities
// and base64 tokens; which challenge to answer is `auth/pick-scheme.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';

/** One offer of a server: a scheme with a token or parameters, or bare. */
export interface Challenge {
  /** As written; compare with `isScheme`. */
  readonly scheme: string;
  readonly token68: string | null;
  /** Lower-case names; of a repeated name the first. */
  readonly params: ReadonlyMap<string, string>;
}

/** Encoded tokens beyond this are refused before they are decoded. */
const MAX_TOKEN_CHARS = 88_000;
/** Further challenges of an answer, and further parameters of a challenge, are passed over. */
const MAX_CHALLENGES = 64;
const MAX_PARAMS = 64;

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*/y;
const WHITE = /[ \t]*/y;
const LIST_GAP = /[ \t,]*/y;
const TO_COMMA = /[^,]*/y;

/** Compares scheme names as whole words, case-insensitively: `Magic-Negotiate` is not `Negotiate`. */
export function isScheme(challenge: Challenge, scheme: string): boolean {
  return challenge.scheme.toLowerCase() === scheme.toLowerCase();
}

/**
 * Parses the lines of one field, each a list of challenges. Never throws: what cannot be read is
 * skipped, so that one malformed challenge does not hide the others.
 */
export function parseChallenges(lines: readonly string[]): Challenge[] {
  return lines.flatMap((line) => parseLine(new Cursor(line))).slice(0, MAX_CHALLENGES);
}

/**
 * Decodes a token. Surplus padding is cut (some servers send `====`); everything else is strict.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function decodeToken68(token: string): Uint8Array {
  if (token.length > MAX_TOKEN_CHARS) {
    throw new SallyportError('CHALLENGE_TOO_LARGE');
  }
  const digits = withoutPadding(token);
  if (!/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1) {
    throw new SallyportError('CHALLENGE_INVALID', 'A challenge is not base64');
  }
  return new Uint8Array(Buffer.from(digits, 'base64'));
}

/**
 * The value of an `Authorization` or `Proxy-Authorization` field: a token in base64, or for Digest its parameters as
 * they are.
 */
export function formatCredentials(scheme: string, token: Uint8Array): string {
  return `${scheme} ${Buffer.from(token).toString(scheme === 'Digest' ? 'latin1' : 'base64')}`;
}

/** Not by `/=+$/`, which looks for the end from each of the equals signs. */
function withoutPadding(token: string): string {
  let end = token.length;
  while (token[end - 1] === '=') {
    end -= 1;
  }
  return token.slice(0, end);
}

/** A position in a line and the few moves the grammar needs. */
class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  is(char: string): boolean {
    return this.text[this.at] === char;
  }
}

function parseLine(cursor: Cursor): Challenge[] {
  const found: Challenge[] = [];
  while (true) {
    cursor.take(LIST_GAP);
    if (cursor.atEnd || found.length === MAX_CHALLENGES) {
      return found;
    }
    const scheme = cursor.take(TOKEN);
    if (scheme === '') {
      cursor.take(TO_COMMA);
      continue;
    }
    cursor.take(WHITE);
    const token68 = takeToken68(cursor);
    found.push({ scheme, token68, params: token68 === null ? takeParams(cursor) : new Map() });
  }
}

/** `abc=` at the end or before a comma is a token; `realm="x"` is a parameter. */
function takeToken68(cursor: Cursor): string | null {
  const start = cursor.at;
  const token = cursor.take(TOKEN68);
  cursor.take(WHITE);
  if (token !== '' && (cursor.atEnd || cursor.is(','))) {
    return token;
  }
  cursor.at = start;
  return null;
}

function takeParams(cursor: Cursor): Map<string, string> {
  const params = new Map<string, string>();
  while (!cursor.atEnd) {
    const start = cursor.at;
    cursor.take(LIST_GAP);
    const name = cursor.take(TOKEN).toLowerCase();
    cursor.take(WHITE);
    if (name === '' || !cursor.is('=')) {
      return endParams(cursor, start, params);
    }
    cursor.at += 1;
    cursor.take(WHITE);
    const value = cursor.is('"') ? takeQuoted(cursor) : cursor.take(TOKEN);
    if (!params.has(name) && params.size < MAX_PARAMS) {
      params.set(name, value);
    }
    cursor.take(WHITE);
    if (!cursor.atEnd && !cursor.is(',')) {
      // Something that is no list stands behind the value: skip it, the next member may be sound.
      cursor.take(TO_COMMA);
    }
  }
  return params;
}

/** A name without `=` behind a comma is the next scheme; anything else is skipped. */
function endParams(
  cursor: Cursor,
  start: number,
  params: Map<string, string>,
): Map<string, string> {
  cursor.at = start;
  if (!cursor.is(',')) {
    cursor.take(TO_COMMA);
  }
  return params;
}

/** An unterminated string reaches to the end of the line. */
function takeQuoted(cursor: Cursor): string {
  let value = '';
  cursor.at += 1;
  while (!cursor.atEnd && !cursor.is('"')) {
    if (cursor.is('\\')) {
      cursor.at += 1;
    }
    value += cursor.text[cursor.at] ?? '';
    cursor.at += 1;
  }
  cursor.at += 1;
  return value;
}
