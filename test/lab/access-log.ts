// What the lab's servers saw: reads their access logs from a mark on and tells the legs of a
// handshake apart. Reads only; a server writes a line when a request (or a tunnel) has ended.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAB } from './lab.ts';

const SETTLE_LIMIT_MS = 2_000;
const QUIET_MS = 100;
const POLL_MS = 20;

const PROXY_LOGS = {
  all: 'squid/all',
  ntlm: 'squid/ntlm',
  kerberos: 'squid/kerberos',
  basic: 'squid/basic',
  digest: 'squid/digest',
  negotiate: 'squid/negotiate',
  open: 'squid/open',
  ntlmBasic: 'squid/ntlm-basic',
  spnego: 'squid/spnego',
  ntlmClose: 'squid/ntlm-close',
  rolled: 'squid/rolled',
  ntlmFew: 'squid/ntlm-few',
  tls: 'squid/all',
  apache: 'apache/log/proxy',
} as const satisfies Partial<Record<keyof typeof LAB.proxies, string>>;

const ORIGIN_LOGS = {
  http: 'apache/log/http',
  https: 'apache/log/https',
  auth: 'apache/log/auth',
  authTls: 'apache/log/auth-tls',
  ntlm: 'squid/accel',
} as const satisfies Record<keyof typeof LAB.origins, string>;

const LINE =
  /^\S+ conn=(?<conn>\S+) user=(?<user>.*?) status=(?<status>\d+) request="(?<method>\S+) (?<url>\S+)(?: HTTP\/[\d.]+)?" auth="(?<auth>.*)"$/u;

/** One request as a server logged it. */
export type LogEntry = {
  /** `ip:port` of the client's end: equal for all requests of one connection. */
  conn: string;
  /** User of the connection or request, as the server spells it (`CORP\alice`); `null` without. */
  user: string | null;
  method: string;
  /** Absolute for a proxied request, `host:port` for CONNECT, a path at an apache origin. */
  url: string;
  status: number;
  /** The credentials of this request: of Proxy-Authorization at a proxy, Authorization at an origin. */
  auth: { scheme: string; ntlmType: 1 | 3 | null } | null;
};

/** A place in a log. */
export type LogMark = {
  /**
   * The requests logged since the mark, oldest first. Waits until `atLeast` of them (default 1) are
   * there and the log has been quiet for 100 ms, at most 2 s. Runs that use the lab at the same
   * time see each other's lines: filter by `conn` where that matters.
   */
  entries(atLeast?: number): Promise<LogEntry[]>;
};

/** An access log; `mark()` first waits for late lines of earlier requests (100 ms of quiet). */
export type AccessLog = { mark(): Promise<LogMark> };

/** The log of a proxy. cntlm keeps none; `tls` and `all` are one squid with one log. */
export function proxyLog(name: keyof typeof PROXY_LOGS): AccessLog {
  return accessLog(PROXY_LOGS[name]);
}

/** The log of an origin. */
export function originLog(name: keyof typeof ORIGIN_LOGS): AccessLog {
  return accessLog(ORIGIN_LOGS[name]);
}

/** Number of connections the requests came on. */
export function countConnections(entries: readonly LogEntry[]): number {
  return new Set(entries.map((entry) => entry.conn)).size;
}

/**
 * The requests whose credentials a server can judge, so each may cost the account one wrong
 * password: Basic, Digest, NTLM type 3 and any Negotiate token that is not an NTLM type 1.
 */
export function finalLegs(entries: readonly LogEntry[]): LogEntry[] {
  return entries.filter((entry) => entry.auth !== null && entry.auth.ntlmType !== 1);
}

function accessLog(name: string): AccessLog {
  const path = join(LAB.directory, `${name}.access.log`);
  return {
    async mark() {
      const start = await quietSize(path, Date.now() + SETTLE_LIMIT_MS);
      return { entries: (atLeast = 1) => settledEntries(path, start, atLeast) };
    },
  };
}

async function settledEntries(path: string, start: number, atLeast: number): Promise<LogEntry[]> {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  for (;;) {
    await quietSize(path, deadline);
    const added = (await readFile(path)).subarray(start).toString('utf8');
    const entries = added.split('\n').flatMap(parseLine);
    if (entries.length >= atLeast || Date.now() >= deadline) {
      return entries;
    }
    await sleep(POLL_MS);
  }
}

async function quietSize(path: string, deadline: number): Promise<number> {
  let { size } = await stat(path);
  let quietSince = Date.now();
  while (Date.now() - quietSince < QUIET_MS && Date.now() < deadline) {
    await sleep(POLL_MS);
    const now = await stat(path);
    if (now.size !== size) {
      size = now.size;
      quietSince = Date.now();
    }
  }
  return size;
}

function parseLine(line: string): LogEntry[] {
  const fields = LINE.exec(line)?.groups;
  // squid also logs connections that never carried a request (status.sh makes such) with status 0.
  if (fields === undefined || fields['status'] === '0') {
    return [];
  }
  const { conn = '', user = '-', method = '', url = '', status, auth = '-' } = fields;
  return [
    {
      conn,
      user: user === '-' ? null : unescapeBackslash(user),
      method,
      url,
      status: Number(status),
      auth: auth === '-' ? null : parseCredentials(auth),
    },
  ];
}

/** apache doubles a backslash where squid does not; no user name of the lab has two. */
function unescapeBackslash(text: string): string {
  return text.replaceAll('\\\\', '\\');
}

function parseCredentials(value: string): NonNullable<LogEntry['auth']> {
  const [scheme = '', token = ''] = value.split(' ');
  return { scheme, ntlmType: ntlmTypeOf(scheme, token) };
}

/** Raw or wrapped in SPNEGO: the type follows the NTLMSSP signature (MS-NLMP 2.2.1). */
function ntlmTypeOf(scheme: string, token: string): 1 | 3 | null {
  if (!/^(?:NTLM|Negotiate)$/iu.test(scheme)) {
    return null;
  }
  const bytes = Buffer.from(token, 'base64');
  const signature = bytes.indexOf('NTLMSSP\0');
  const type = signature === -1 ? undefined : bytes[signature + 8];
  return type === 1 || type === 3 ? type : null;
}
