// Going on where a download stopped (RFC 9110 section 14): what is asked for, and what an answer must say before its bytes
// may follow those that are there. In doubt it is begun again: a mixed file must never come to be.
import type { HeaderField } from '../http1/header-list.ts';
import type { HttpResponse } from '../upstream/upstream.ts';
import type { PartRecord } from './part-record.ts';
import { sourceOf } from './part-record.ts';

/** Bytes that are there, and what they are the beginning of. */
export interface Held {
  readonly length: number;
  readonly record: PartRecord;
}

export type Verdict =
  /** The body is the rest; `total` bytes are all of it. */
  | { readonly do: 'append'; readonly total: number }
  /** Nothing is missing. */
  | { readonly do: 'done' }
  /** The body is all of it. */
  | { readonly do: 'replace'; readonly why: string }
  /** The answer is of no use: ask for all of it. */
  | { readonly do: 'ask-again'; readonly why: string }
  /** An error status. */
  | { readonly do: 'refuse' };

/** Why these bytes cannot be continued, or `null`. */
export function findObstacle({ length, record }: Held, asked: string): string | null {
  const { etag, lastModified, total } = record;
  if (record.asked !== asked) {
    return 'it is of another address';
  }
  if (etag === null && lastModified === null) {
    return 'the server gave no strong ETag, and no Last-Modified in its place, by which it could be recognised';
  }
  return total !== null && length > total ? 'it is longer than what it is the beginning of' : null;
}

export function rangeHeaders({ length, record }: Held): HeaderField[] {
  return [
    ['Range', `bytes=${length}-`],
    ['If-Range', record.etag ?? record.lastModified ?? ''],
  ];
}

/** @param response to a request with `rangeHeaders` */
export function judge(response: HttpResponse, held: Held): Verdict {
  const { status } = response;
  if (status === 206) {
    const range = parseContentRange(response.headers['content-range']);
    if (range === null) {
      return { do: 'ask-again', why: 'the server does not say which part it sends' };
    }
    const why = findContradiction(response, range, held);
    return why === null ? { do: 'append', total: range.total } : { do: 'ask-again', why };
  }
  if (status === 416) {
    return isAllOfIt(response, held)
      ? { do: 'done' }
      : { do: 'ask-again', why: 'the server has no bytes behind those that are there' };
  }
  return status >= 200 && status < 300
    ? { do: 'replace', why: 'it has changed, or the server cannot send a part of it' }
    : { do: 'refuse' };
}

interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly total: number;
}

function parseContentRange(value = ''): ContentRange | null {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(value) ?? [];
  return first === undefined
    ? null
    : { first: Number(first), last: Number(last), total: Number(total) };
}

/** What a 206 says against being the rest of these bytes. */
function findContradiction(
  { headers, url }: HttpResponse,
  range: ContentRange,
  { length, record }: Held,
): string | null {
  if (range.first !== length || range.last !== range.total - 1) {
    return 'the server sends another part than the one that is missing';
  }
  if (record.total !== null && record.total !== range.total) {
    return 'its length has changed';
  }
  if (record.source !== sourceOf(url)) {
    return 'it comes from another place now';
  }
  return repeatsValidator(headers, record) ? null : 'it has changed';
}

/** A server that heeds If-Range would not need it; one that does not is found out. */
function repeatsValidator(headers: HttpResponse['headers'], { etag, lastModified }: PartRecord) {
  return etag === null ? headers['last-modified'] === lastModified : headers['etag'] === etag;
}

function isAllOfIt({ headers, url }: HttpResponse, { length, record }: Held): boolean {
  const total = /^bytes \*\/(\d{1,15})$/i.exec(headers['content-range'] ?? '')?.[1];
  const { etag } = headers;
  return (
    Number(total) === length &&
    record.total === length &&
    record.source === sourceOf(url) &&
    (etag === undefined || etag === record.etag)
  );
}
