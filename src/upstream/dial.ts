// Opens TCP and TLS connections. Owns address families, connect deadlines and certificate checks; speaks no HTTP.
import { lookup } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import { connect as connectTcp, isIP } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { publishConnection } from '../observe/events.ts';
import type { Trust } from './certificate-authorities.ts';
import type { Peer } from './connection.ts';

export interface DialOptions {
  /** For TCP, and once more for TLS, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Asked at the first TLS connection only. */
  readonly trust: Trust;
  /** Which addresses may be connected to. Default: any. */
  readonly mayReach?: (address: string) => boolean;
}

/** Of an address that `mayReach` keeps closed, as the system's own words for why there is no connection. */
const PROHIBITED = 'ADDRESS_PROHIBITED';

/**
 * How long one address family may try before the other does. Node gives up the first try then, so its
 * 250 ms would rule out a proxy that is far away (docs/defaults.md).
 */
const FAMILY_ATTEMPT_MS = 1000;
const KEEP_ALIVE_AFTER_MS = 30_000;
/** What one read of the network brings. Beyond Node's 16 KiB the socket would be stopped and started again each time. */
const TLS_READ_BYTES = 65_536;

/**
 * TCP to a host, IPv6 and IPv4 (RFC 8305 in Node's form).
 *
 * @throws SallyportError PROXY_UNREACHABLE, CONNECT_FAILED, TIMEOUT, or the reason of the signal
 */
export async function dialTcp(
  host: string,
  port: number,
  peer: Peer,
  options: DialOptions,
): Promise<Socket> {
  const { mayReach } = options;
  if (mayReach !== undefined && isIP(host) !== 0 && !mayReach(host)) {
    throw unreachable(peer, prohibited(host));
  }
  const socket = connectTcp({
    host,
    port,
    ...(mayReach === undefined ? {} : { lookup: lookupWithin(mayReach) }),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: FAMILY_ATTEMPT_MS,
  });
  let hasAddress = isIP(host) !== 0;
  socket.once('lookup', () => {
    hasAddress = true;
  });
  await ready(socket, 'connect', options, {
    late: () => (hasAddress ? noAnswer(peer, options) : unresolved(host, options)),
    explain: (cause) => unreachable(peer, cause),
  });
  publishConnection({ action: 'opened', to: peer.name });
  return socket;
}

/**
 * TLS over a socket that is connected, HTTP/1.1 only: NTLM and Negotiate cannot work over HTTP/2.
 *
 * @param host the name or address the certificate must be for
 * @throws SallyportError PROXY_TLS_FAILED, TLS_FAILED, TIMEOUT, or the reason of the signal
 */
export async function secure(
  socket: Socket,
  host: string,
  peer: Peer,
  options: DialOptions,
): Promise<TLSSocket> {
  const secureContext = await contextFor(socket, peer, options.trust);
  // By name: the types of Node 20 do not know highWaterMark, which it takes.
  const how = {
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    highWaterMark: TLS_READ_BYTES,
    secureContext,
  };
  const tls = connectTls(how);
  await ready(tls, 'secureConnect', options, {
    late: () => noTls(peer, options),
    explain: (cause) => untrusted(peer, cause, options.trust),
  });
  return tls;
}

/** The first time it is read from the disk: the peer may go meanwhile. */
async function contextFor(socket: Socket, peer: Peer, trust: Trust): Promise<SecureContext> {
  let lost: unknown;
  const keep = (cause: unknown): void => {
    lost = cause;
  };
  socket.on('error', keep);
  const context = await trust.secureContext();
  if (socket.destroyed) {
    // It stays: nobody else is left to hear of a late error.
    throw untrusted(peer, lost ?? new Error('the connection was closed'), trust);
  }
  socket.off('error', keep);
  return context;
}

/** The system's look-up without the addresses that are closed: what is left is connected to, and nothing is asked twice. */
function lookupWithin(mayReach: (address: string) => boolean): LookupFunction {
  return (name, options, done) => {
    lookup(name, { ...options, all: true }, (error, found) => {
      const open = error === null ? found.filter(({ address }) => mayReach(address)) : [];
      const [first] = open;
      if (first === undefined) {
        done(error ?? prohibited(name), '', 0);
      } else if (options.all === true) {
        done(null, open);
      } else {
        done(null, first.address, first.family);
      }
    });
  };
}

function prohibited(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} is closed to whoever asks`), { code: PROHIBITED });
}

interface Words {
  /** For the time being over. */
  readonly late: () => SallyportError;
  readonly explain: (cause: unknown) => SallyportError;
}

/** Waits for one event; whatever else happens destroys the socket. */
async function ready(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { timeoutMs, signal }: DialOptions,
  { late, explain }: Words,
): Promise<void> {
  let timedOut: SallyportError | null = null;
  const timer = setTimeout(() => {
    timedOut = late();
    socket.destroy(timedOut);
  }, timeoutMs);
  const abort = (): void => void socket.destroy(signal.reason);
  let leave = (): unknown => undefined;
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const closed = (): void => reject(new Error('the connection was closed'));
      socket.once(event, resolve).once('error', reject).once('close', closed);
      leave = () => socket.off(event, resolve).off('error', reject).off('close', closed);
    });
  } catch (cause) {
    socket.destroy();
    throw cause === timedOut || cause === signal.reason ? cause : explain(cause);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    leave();
    if (socket.destroyed) {
      // A second failure while the socket goes down has nobody left to tell.
      socket.on('error', () => undefined);
    }
  }
}

function noAnswer({ name }: Peer, { timeoutMs }: DialOptions): SallyportError {
  return new SallyportError('TIMEOUT', `${name} did not answer within ${timeoutMs / 1000} s`, {
    hint: 'Check the address, and whether you are in the right network (VPN).',
    waitedFor: 'connection',
  });
}

function unresolved(host: string, { timeoutMs }: DialOptions): SallyportError {
  return new SallyportError(
    'TIMEOUT',
    `${host}: no address came from the name service within ${timeoutMs / 1000} s`,
    {
      hint: 'Check the name, and whether you are in the right network (VPN).',
      waitedFor: 'name',
    },
  );
}

function noTls({ name }: Peer, { timeoutMs }: DialOptions): SallyportError {
  return new SallyportError('TIMEOUT', `${name} did not finish TLS within ${timeoutMs / 1000} s`, {
    hint: `Check the address: does it speak TLS, or is it http://${name}?`,
    waitedFor: 'connection',
  });
}

function unreachable(peer: Peer, cause: unknown): SallyportError {
  return new SallyportError(
    peer.role === 'proxy' ? 'PROXY_UNREACHABLE' : 'CONNECT_FAILED',
    `Cannot connect to ${peer.name} (${errorWord(firstCause(cause))})`,
    {
      cause,
      hint:
        peer.role === 'proxy'
          ? 'Check the proxy address and its port; sallyport which shows who named it.'
          : 'Check the address, or whether that host is to be reached through a proxy.',
    },
  );
}

function untrusted(peer: Peer, cause: unknown, trust: Trust): SallyportError {
  const word = errorWord(cause);
  return new SallyportError(
    peer.role === 'proxy' ? 'PROXY_TLS_FAILED' : 'TLS_FAILED',
    `No TLS with ${peer.name} (${word})`,
    {
      cause,
      hint:
        word === 'ERR_SSL_WRONG_VERSION_NUMBER'
          ? noTlsHint(peer)
          : `${whoTrusts(word, trust)}If its certificate comes from your company, name the file of that authority with --ca FILE.`,
    },
  );
}

function noTlsHint({ role, name }: Peer): string {
  const hint = `It does not speak TLS. Is it http://${name}?`;
  return role === 'proxy'
    ? hint
    : `${hint} A guest network answers like this, too: there, open an http:// address in a browser first.`;
}

/** Node's words for a chain that ends at nobody who is trusted. */
const NO_AUTHORITY = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

function whoTrusts(word: string, { system }: Trust): string {
  if (!NO_AUTHORITY.has(word)) {
    return '';
  }
  if (system === undefined) {
    return 'The authorities of the operating system are turned off here (--no-system-ca): leave that out. ';
  }
  return system.problem === undefined
    ? `Who signed it is known neither to Node nor to ${system.from}. `
    : `Node does not know who signed it, and ${system.from} could not be asked: ${system.problem}. `;
}

/** With several addresses Node reports one error that holds all. */
function firstCause(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] ?? error) : error;
}
