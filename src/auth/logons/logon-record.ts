// The text of the state file of logons: parse and format. Owns its shape and its bounds; takes nothing in it on trust.
import { randomBytes } from 'node:crypto';
import type { LogonRequest } from './logon-request.ts';
import type { Standing } from './logon-standing.ts';
import { aged, UNPROVEN } from './logon-standing.ts';
import type { ProcessMark } from './process-mark.ts';

/** The turn of one process to send a last leg. */
export interface Lease extends ProcessMark {
  readonly id: string;
  readonly until: number;
}

export interface LogonRecord {
  readonly realm: string;
  /** Lower case. */
  readonly account: string;
  /** 20 bits of the secret; `null` for the operating system's own sign-on. */
  readonly tag: number | null;
  readonly standing: Standing;
  readonly leases: readonly Lease[];
}

export interface LogonDocument {
  /** Base64. A new file gets a new one, and with it forgets every secret. */
  readonly salt: string;
  /** Counts the changes. */
  readonly revision: number;
  readonly logons: readonly LogonRecord[];
}

const VERSION = 1;
const MAX_RECORDS = 200;
const MAX_WORD_CHARS = 512;
const SALT_BYTES = 16;

export function emptyDocument(): LogonDocument {
  return { salt: randomBytes(SALT_BYTES).toString('base64'), revision: 0, logons: [] };
}

/**
 * @returns `null` for what is no such text: it may be replaced
 * @throws Error for the text of a newer Sallyport, which must not be replaced
 */
export function parseDocument(text: string): LogonDocument | null {
  const json = parseJson(text);
  const version = json['version'];
  if (typeof version === 'number' && version > VERSION) {
    throw new Error('the memory of logons was written by a newer version of Sallyport');
  }
  const { salt, revision, logons } = json;
  const isSalt = isWord(salt) && Buffer.from(salt, 'base64').length === SALT_BYTES;
  if (version !== VERSION || !isSalt || !isCount(revision) || !Array.isArray(logons)) {
    return null;
  }
  const records = logons.map(parseRecord).filter((record) => record !== null);
  return { salt, revision, logons: records.slice(0, MAX_RECORDS) };
}

/** The freshest records, as far as there is room; those that say nothing are left out. */
export function formatDocument({ salt, revision, logons }: LogonDocument): string {
  const kept = logons
    .filter(({ standing, leases }) => standing.verdict !== 'unproven' || leases.length > 0)
    .sort((a, b) => freshness(b) - freshness(a))
    .slice(0, MAX_RECORDS);
  return `${JSON.stringify({ version: VERSION, salt, revision, logons: kept })}\n`;
}

/** Whether it is about this account in this realm, whatever its secret. */
export function isAbout({ realm, account }: LogonRecord, request: LogonRequest): boolean {
  return realm === request.realm && account === request.account.toLowerCase();
}

export function findRecord(
  document: LogonDocument,
  request: LogonRequest,
  tag: number | null,
  now: number,
): LogonRecord | null {
  const record = document.logons.find((one) => isAbout(one, request) && one.tag === tag);
  return record ? { ...record, standing: aged(record.standing, now, tag === null) } : null;
}

export function newRecord({ realm, account }: LogonRequest, tag: number | null): LogonRecord {
  return { realm, account: account.toLowerCase(), tag, standing: UNPROVEN, leases: [] };
}

/** The document with one record in its new form, and the aged ones aged. */
export function withRecord(document: LogonDocument, next: LogonRecord, now: number): LogonDocument {
  const isSame = ({ realm, account, tag }: LogonRecord): boolean =>
    realm === next.realm && account === next.account && tag === next.tag;
  const others = document.logons
    .filter((record) => !isSame(record))
    .map((record) => ({
      ...record,
      standing: aged(record.standing, now, record.tag === null),
      leases: record.leases.filter(({ until }) => until > now),
    }));
  return { ...document, revision: nextRevision(document), logons: [...others, next] };
}

/** Begins anew where numbers end: a larger one would not be read, and every refusal forgotten. */
export function nextRevision({ revision }: LogonDocument): number {
  return (revision + 1) % Number.MAX_SAFE_INTEGER;
}

function freshness({ standing, leases }: LogonRecord): number {
  const heldUntil = leases.map(({ until }) => until);
  return Math.max(standing.acceptedAt, standing.refusedAt, ...heldUntil);
}

function parseRecord(value: unknown): LogonRecord | null {
  const { realm, account, tag, standing, leases } = fieldsOf(value);
  if (!isWord(realm) || !isWord(account) || !(tag === null || isCount(tag))) {
    return null;
  }
  const known = parseStanding(fieldsOf(standing));
  const held = Array.isArray(leases)
    ? leases.map(parseLease).filter((lease) => lease !== null)
    : [];
  return known === null ? null : { realm, account, tag, standing: known, leases: held.slice(0, 8) };
}

function parseStanding(fields: Record<string, unknown>): Standing | null {
  const { verdict, acceptedAt, refusedAt, refusedBy, strikes, closedUntil } = fields;
  const isKnown = verdict === 'unproven' || verdict === 'proven' || verdict === 'refused';
  const isWhole = isCount(acceptedAt) && isCount(refusedAt) && isCount(strikes);
  return isKnown && isWhole && isCount(closedUntil) && typeof refusedBy === 'string'
    ? { ...UNPROVEN, verdict, acceptedAt, refusedAt, strikes, closedUntil, refusedBy }
    : null;
}

function parseLease(value: unknown): Lease | null {
  const { id, until, pid, start, space } = fieldsOf(value);
  return isWord(id) && isCount(until) && isCount(pid) && pid > 0 && isWord(space)
    ? { id, until, pid, start: typeof start === 'string' ? start : '', space }
    : null;
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_WORD_CHARS;
}
