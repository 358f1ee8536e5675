// Message heads (RFC 9112 sections 2 to 5): bytes to structure and back. Owns the syntax of start lines and
// field lines; refuses line breaks and NUL in anything that goes out.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from './header-list.ts';
import { HeaderList, trimWhite } from './header-list.ts';

export type HttpVersion = '1.0' | '1.1';

export interface ResponseHead {
  readonly version: HttpVersion;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
}

export interface RequestHead {
  readonly method: string;
  /** The request-target as on the wire: origin-form, absolute-form or `host:port`. */
  readonly target: string;
  readonly version: HttpVersion;
  readonly headers: HeaderList;
}

/** A status below 100 does not exist (RFC 9110 section 15); taken for an interim one, another answer would be waited for. */
const STATUS_LINE = /^HTTP\/(\d)\.(\d) ([1-9]\d{2})(?: (.*))?$/;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.([01])$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FORBIDDEN_IN_VALUE = /[\0\r\n]/;
const FORBIDDEN_IN_TARGET = /[\0-\x20\x7f]/;

/**
 * Parses the head of a response: status line and fields up to the empty line, which may be included.
 *
 * @throws SallyportError RESPONSE_INVALID
 */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const { startLine, headers } = splitHead(bytes, true);
  const match = STATUS_LINE.exec(startLine);
  if (match === null || match[1] !== '1') {
    throw new SallyportError('RESPONSE_INVALID', 'The answer does not begin with an HTTP/1 status');
  }
  return {
    // HTTP/1.2 and later would be 1.1 to us (RFC 9110 section 6.2).
    version: match[2] === '0' ? '1.0' : '1.1',
    status: Number(match[3]),
    reason: match[4] ?? '',
    headers,
  };
}

/**
 * Parses the head of a request. Folded lines are refused (RFC 9112 section 5.2): not every server behind reads them alike.
 *
 * @throws SallyportError RESPONSE_INVALID (a message that is not HTTP, whoever sent it)
 */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const { startLine, headers } = splitHead(bytes, false);
  const match = REQUEST_LINE.exec(startLine);
  if (match === null) {
    throw new SallyportError('RESPONSE_INVALID', 'The request line is not HTTP/1');
  }
  return {
    method: match[1] ?? '',
    target: match[2] ?? '',
    version: match[3] === '0' ? '1.0' : '1.1',
    headers,
  };
}

/**
 * Writes a request head, empty line included. Values beyond ASCII go out as UTF-8, unless `encoding` says otherwise; those of
 * `credentials` byte for byte, one a character: they echo what a server sent.
 *
 * @throws SallyportError HEADER_INVALID when a method, target, name or value could break out of its line
 */
export function formatRequestHead(request: {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderField[];
  readonly encoding?: 'latin1' | 'utf8' | undefined;
  readonly credentials?: readonly HeaderField[];
}): Buffer {
  if (!TOKEN.test(request.method)) {
    throw new SallyportError('HEADER_INVALID', 'The method is not a token');
  }
  if (request.target === '' || FORBIDDEN_IN_TARGET.test(request.target)) {
    throw new SallyportError(
      'HEADER_INVALID',
      'The request target is empty or has a space or control character',
    );
  }
  const { method, target, headers, encoding = 'utf8', credentials = [] } = request;
  const first = `${method} ${target} HTTP/1.1\r\n${linesOf(headers)}`;
  const second = `${linesOf(credentials)}\r\n`;
  return encoding === 'latin1'
    ? Buffer.from(first + second, 'latin1')
    : Buffer.concat([Buffer.from(first, 'utf8'), Buffer.from(second, 'latin1')]);
}

function linesOf(fields: readonly HeaderField[]): string {
  return fields
    .map((field) => {
      checkHeaderField(field);
      return `${field[0]}: ${field[1]}\r\n`;
    })
    .join('');
}

/**
 * Refuses a field that is no field: illegal name, or CR, LF, NUL in the value (RFC 9110 section 5.5).
 *
 * @throws SallyportError HEADER_INVALID, naming the field but never its value
 */
export function checkHeaderField([name, value]: HeaderField): void {
  if (!TOKEN.test(name)) {
    throw new SallyportError('HEADER_INVALID', `${JSON.stringify(name)} is not a header name`);
  }
  if (FORBIDDEN_IN_VALUE.test(value)) {
    throw new SallyportError(
      'HEADER_INVALID',
      `The value of header ${name} has a line break or a NUL`,
    );
  }
}

/** Line ends are CRLF; a lone LF is taken as one (RFC 9112 section 2.2), a lone CR is refused. */
function splitHead(
  bytes: Uint8Array,
  mayFold: boolean,
): { startLine: string; headers: HeaderList } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  let at = 0;
  while (text[at] === '\n' || (text[at] === '\r' && text[at + 1] === '\n')) {
    at += 1;
  }
  const startLine = lineAt(text, at);
  at = text.indexOf('\n', at) + 1;
  const fields: FieldLines[] = [];
  while (at > 0 && at < text.length) {
    const line = lineAt(text, at);
    if (line === '') {
      break;
    }
    if (FORBIDDEN_IN_VALUE.test(line)) {
      throw new SallyportError('RESPONSE_INVALID', 'A header line has a NUL or a lone CR');
    }
    readFieldLine(line, fields, mayFold);
    at = text.indexOf('\n', at) + 1;
  }
  return { startLine, headers: new HeaderList(fields.map(unfold)) };
}

function lineAt(text: string, start: number): string {
  const found = text.indexOf('\n', start);
  const end = found === -1 ? text.length : found;
  return text.slice(start, found !== -1 && text[end - 1] === '\r' && end > start ? end - 1 : end);
}

/** A field and the lines it is folded over, each without white space round it; a string where it is not folded. */
type FieldLines = [name: string, value: string | string[]];

function readFieldLine(line: string, fields: FieldLines[], mayFold: boolean): void {
  const last = fields.at(-1);
  if (mayFold && last !== undefined && (line.startsWith(' ') || line.startsWith('\t'))) {
    const lines = typeof last[1] === 'string' ? [last[1]] : last[1];
    lines.push(trimWhite(line));
    last[1] = lines;
    return;
  }
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!TOKEN.test(name)) {
    // White space before the colon included: a known way to smuggle (RFC 9112 section 5.1).
    throw new SallyportError('RESPONSE_INVALID', 'A header line has no valid name');
  }
  fields.push([name, trimWhite(line.slice(colon + 1))]);
}

/** Obsolete line folding (RFC 9112 section 5.2): joined by a space. */
function unfold([name, value]: FieldLines): HeaderField {
  return [name, typeof value === 'string' ? value : value.filter((line) => line !== '').join(' ')];
}
