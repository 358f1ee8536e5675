// The proxy's own answers as bytes: heads, small pages, and the 407 in all its bad shapes.
import type { HttpVersion } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { Habits } from './habits.ts';

export interface AnswerHead {
  readonly status: number;
  /** `null`: not even the space in front of it (RFC 9112 section 4 wants that). */
  readonly reason: string | null;
  readonly headers: readonly HeaderField[];
}

/** An answer of the proxy itself. */
export interface OwnAnswer extends AnswerHead {
  readonly body: Buffer;
  /** The connection ends behind this answer. */
  readonly closes: boolean;
}

const CHUNK_BYTES = 8192;
const PORTAL = 'http://portal.example/sign-in';

/** Writes the head of a response, with what its version needs to say about the connection. */
export function formatAnswerHead(
  head: AnswerHead,
  { version, keepsOpen }: { readonly version: HttpVersion; readonly keepsOpen: boolean },
): Buffer {
  const lines = [`HTTP/${version} ${head.status}${head.reason === null ? '' : ` ${head.reason}`}`];
  for (const [name, value] of head.headers) {
    lines.push(`${name}: ${value}`);
  }
  if (!keepsOpen) {
    lines.push('Connection: close', 'Proxy-Connection: close');
  } else if (version === '1.0') {
    lines.push('Connection: keep-alive', 'Proxy-Connection: keep-alive');
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** A small page. */
export function page(
  status: number,
  reason: string,
  text: string,
  headers: readonly HeaderField[] = [],
): OwnAnswer {
  const body = Buffer.from(`<html><body><h1>${text}</h1></body></html>\n`, 'utf8');
  return {
    status,
    reason,
    headers: [...headers, ['Content-Type', 'text/html'], ['Content-Length', String(body.length)]],
    body,
    closes: false,
  };
}

/**
 * The 407 that asks for credentials, or goes on with a handshake.
 *
 * @param offers values of `Proxy-Authenticate`, as `proxyOffers` or `challengeLines` give them
 * @param situation `bare` after credentials were refused, `first` to a request without any, `token`
 *   within a handshake
 */
export function proxyAuthenticationRequired(
  offers: readonly string[],
  situation: 'first' | 'bare' | 'token',
  habits: Habits,
): OwnAnswer {
  const text = 'Proxy authentication required';
  const { headers, body } = page(407, text, text);
  const closesFirst = situation === 'first' && habits.shows('close-on-first-407');
  const closesToken = situation === 'token' && habits.shows('close-after-challenge');
  const answer: OwnAnswer = {
    status: 407,
    reason: text,
    headers: [...offers.map((value): HeaderField => ['Proxy-Authenticate', value]), ...headers],
    body: habits.shows('large-407')
      ? Buffer.alloc(habits.parameters('large-407').bytes, 'x')
      : body,
    closes: closesFirst || closesToken,
  };
  if (situation !== 'token' && habits.shows('close-delimited-407')) {
    return { ...answer, headers: withoutLength(answer.headers), closes: true };
  }
  if (habits.shows('chunked-407')) {
    const headersChunked: HeaderField[] = [
      ...withoutLength(answer.headers),
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'X-Proxy-Trailer'],
    ];
    return { ...answer, headers: headersChunked, body: chunked(answer.body) };
  }
  const headersSized = withLength(answer.headers, answer.body.length);
  const surplus = habits.shows('surplus-bytes') ? habits.parameters('surplus-bytes').text : '';
  const body407 = Buffer.concat([answer.body, Buffer.from(surplus, 'latin1')]);
  return { ...answer, headers: headersSized, body: body407 };
}

/** The page somebody in the middle shows instead of what was asked for. */
export function portalPage(status: 200 | 302 | 511): OwnAnswer {
  const reasons = { 200: 'OK', 302: 'Found', 511: 'Network Authentication Required' } as const;
  const location: HeaderField[] = status === 302 ? [['Location', PORTAL]] : [];
  return page(status, reasons[status], 'Welcome to the guest network: sign in', location);
}

/** Cuts a head into four packets; two cuts go through the token, where there is one. */
export function splitAtToken(head: Buffer): Buffer[] {
  const token = /(?:NTLM|Negotiate) ([A-Za-z0-9+/=]{8,})/.exec(head.toString('latin1'));
  if (token === null) {
    return [head];
  }
  const end = token.index + token[0].length;
  const start = end - (token[1]?.length ?? 0);
  const cuts = [5, start + 3, end - 2];
  return [...cuts, head.length].map((cut, index) => head.subarray(cuts[index - 1] ?? 0, cut));
}

/** One chunk of a chunked body. */
export function chunk(data: Buffer): Buffer {
  const size = Buffer.from(`${data.length.toString(16)}\r\n`, 'latin1');
  return Buffer.concat([size, data, Buffer.from('\r\n', 'latin1')]);
}

function chunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    parts.push(chunk(body.subarray(at, at + CHUNK_BYTES)));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\nX-Proxy-Trailer: end\r\n\r\n', 'latin1')]);
}

function withoutLength(headers: readonly HeaderField[]): HeaderField[] {
  return headers.filter(([name]) => name !== 'Content-Length');
}

function withLength(headers: readonly HeaderField[], length: number): HeaderField[] {
  return [...withoutLength(headers), ['Content-Length', String(length)]];
}
