// What is known of an unfinished download, in `FILE.part.json`: which address, which version of what is there. Owns the
// form of that file; whatever does not look like one of ours counts as none.
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { HeaderField } from '../http1/header-list.ts';
import { parseHttpDate } from '../http1/retry-after.ts';
import type { HttpResponse } from '../upstream/upstream.ts';

/** What a continuation must agree with. */
export interface PartRecord {
  /** Digest of what was asked for, see `askedFor`: addresses may hold secrets. */
  readonly asked: string;
  /** Digest of where the bytes came from, redirects followed, without its query: that changes where links are signed. */
  readonly source: string;
  /** A strong entity tag, quotes included. */
  readonly etag: string | null;
  /** Only where there is no entity tag, and only when it is old enough to tell versions apart. */
  readonly lastModified: string | null;
  /** Length of all of it in bytes, when it was announced. */
  readonly total: number | null;
}

const VERSION = 1;
const MAX_RECORD_BYTES = 4096;
/** A file that was changed twice within a minute of its delivery may have had one date for both (RFC 9110 section 8.8.2.2). */
const SETTLED_MS = 60_000;
/** In ASCII: other bytes would not come back as they were. */
const STRONG_ETAG = /^"[\x21\x23-\x7e]{0,1000}"$/;
const DIGEST = /^[0-9a-f]{64}$/;
/** What every record begins with, whichever version wrote it. An empty one was about to be written. */
const BEGINNING = /^\{"version":\d{1,9},"asked":"[0-9a-f]{64}"/;
const BEGINNING_BYTES = 128;
/** Not by way of a link, which could lead anywhere, and not waiting for a pipe. Windows knows neither flag. */
const READ_HERE = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export function recordOf(part: string): string {
  return `${part}.json`;
}

/** The address, and the headers a server may choose another version by. */
export function askedFor(url: URL, headers: readonly HeaderField[]): string {
  const choosing = headers
    .map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name]) => name?.startsWith('accept'));
  return digestOf(JSON.stringify([url.href, choosing]));
}

/** @param url the final one, of an answer */
export function sourceOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return digestOf(origin + pathname);
}

/** @param response a 200 to a request without Range */
export function describePart(response: HttpResponse, asked: string): PartRecord {
  const { headers, url, status } = response;
  const length = headers['content-length'];
  const whole = { asked, source: sourceOf(url), etag: null, lastModified: null, total: null };
  if (status !== 200) {
    return whole;
  }
  const total = length === undefined ? null : Number(length);
  const { etag } = headers;
  if (etag !== undefined) {
    // A weak one may stay the same while bytes change; a date beside it does not help (RFC 9110 section 13.1.5).
    return { ...whole, total, etag: STRONG_ETAG.test(etag) ? etag : null };
  }
  return { ...whole, total, lastModified: settledDate(headers) };
}

function settledDate(headers: HttpResponse['headers']): string | null {
  const value = headers['last-modified'] ?? '';
  const changed = parseHttpDate(value);
  const sent = parseHttpDate(headers['date'] ?? '');
  const isSettled = changed !== undefined && sent !== undefined && sent - changed >= SETTLED_MS;
  return isSettled ? value : null;
}

/** @returns `null` where there is none, or none that can be believed */
export async function readRecord(part: string): Promise<PartRecord | null> {
  try {
    return parseRecord(await readSmall(recordOf(part)));
  } catch {
    return null;
  }
}

/**
 * Takes the place of one of ours, and of nothing else.
 *
 * @throws Error of the file system
 */
export async function writeRecord(part: string, record: PartRecord): Promise<void> {
  removeRecord(part);
  const file = await open(recordOf(part), 'wx');
  try {
    await file.writeFile(`${JSON.stringify({ version: VERSION, ...record })}\n`);
  } finally {
    await file.close();
  }
}

/** The `.part` is then nobody's, and is never continued. What is not ours stays. @throws Error of the file system */
export function removeRecord(part: string): void {
  const path = recordOf(part);
  const text = readBeginning(path);
  if (text === '' || (text !== null && BEGINNING.test(text))) {
    rmSync(path, { force: true });
  }
}

/** @returns `null` where there is none, or what has its name is no regular file */
function readBeginning(path: string): string | null {
  const file = openHere(path);
  if (file === null) {
    return null;
  }
  try {
    const piece = Buffer.alloc(BEGINNING_BYTES);
    return fstatSync(file).isFile() ? piece.toString('latin1', 0, readSync(file, piece)) : null;
  } finally {
    closeSync(file);
  }
}

function openHere(path: string): number | null {
  try {
    return openSync(path, READ_HERE);
  } catch {
    return null;
  }
}

async function readSmall(path: string): Promise<string> {
  const file = await open(path, READ_HERE);
  try {
    const about = await file.stat();
    return about.isFile() && about.size <= MAX_RECORD_BYTES ? await file.readFile('utf8') : '';
  } finally {
    await file.close();
  }
}

/** @throws SyntaxError for what is no JSON, TypeError for `null` */
export function parseRecord(text: string): PartRecord | null {
  const { version, asked, source, etag, lastModified, total } = JSON.parse(text);
  const isOurs =
    version === VERSION &&
    isText(asked, DIGEST) &&
    isText(source, DIGEST) &&
    (etag === null || isText(etag, STRONG_ETAG)) &&
    (lastModified === null || isDate(lastModified)) &&
    (total === null || (Number.isSafeInteger(total) && total >= 0));
  return isOurs ? { asked, source, etag, lastModified, total } : null;
}

function isText(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value);
}

function isDate(value: unknown): boolean {
  return typeof value === 'string' && parseHttpDate(value) !== undefined;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
