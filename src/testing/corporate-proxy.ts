// The public embedded corporate proxy: options in, a listening proxy out. Owns the listener and its end.
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expectedChannelBinding } from './acceptors/channel-binding.ts';
import type { NegotiateForms } from './acceptors/negotiate-acceptor.ts';
import type { ProxyUser } from './accounts.ts';
import { Accounts } from './accounts.ts';
import type { ProxyContext } from './client-connection.ts';
import { ClientConnection } from './client-connection.ts';
import type { Habit } from './habits.ts';
import { Habits } from './habits.ts';
import type { ProxyCounts, ProxyLogEntry } from './record.ts';
import { ProxyRecord } from './record.ts';
import type { ProxyScheme, SignOnPolicy } from './sign-on.ts';

export interface CorporateProxyOptions {
  /** Offered in this order; none makes an open proxy. */
  readonly schemes: readonly ProxyScheme[];
  readonly users?: readonly ProxyUser[];
  /** PEM; makes an `https://` proxy, whose channel binding must be right where it is sent. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Refuses NTLM without a channel binding on TLS (Extended Protection). Default `false`. */
  readonly requireChannelBinding?: boolean;
  /** Which forms of NTLM are taken under Negotiate. Default: raw and wrapped. */
  readonly negotiate?: NegotiateForms;
  /** Accepted target names. Default: `HTTP/` with the listening host, `127.0.0.1` and `localhost`. */
  readonly spn?: string | readonly string[];
  /**
   * Default `true`: MIC, channel binding, SPN, timestamp, LM response and the mechListMIC are demanded.
   * `false` takes clients that leave them out, as curl does; what they send must be right all the same.
   */
  readonly strict?: boolean;
  readonly habits?: readonly Habit[];
  /** Tells whether a signed-on user may not have a target (as in the request line). Default: nothing. */
  readonly blocked?: (target: string, user: string | null) => boolean;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
}

/** A running proxy. */
export interface CorporateProxy extends AsyncDisposable {
  /** `http://host:port`, or `https:` with `tls`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** One entry per request, in the order of the answers; no passwords, no tokens. */
  readonly log: readonly ProxyLogEntry[];
  counts(): ProxyCounts;
  /** Ends every connection and resolves when nothing of the proxy is left. */
  close(): Promise<void>;
}

/**
 * Starts a forward proxy (CONNECT and absolute-form) on a free port that signs users on as corporate
 * proxies do: NTLM and Negotiate sign the connection on, Basic every request.
 *
 * Its acceptor shares no code with Sallyport's clients. A refused sign-on shows as a bare 407; the
 * reason stands in `log`.
 *
 * @example
 * ```ts
 * await using proxy = await createCorporateProxy({
 *   schemes: ['NTLM'],
 *   users: [{ name: 'alice', domain: 'CORP', password: 'secret' }],
 *   habits: ['close-on-first-407'],
 * });
 * await myClient.get('http://intranet.example/', { proxy: proxy.url });
 * assert.equal(proxy.counts().finalLegs['CORP\\alice'], 1);
 * ```
 */
export async function createCorporateProxy(
  options: CorporateProxyOptions,
): Promise<CorporateProxy> {
  const host = options.host ?? '127.0.0.1';
  const record = new ProxyRecord();
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const policy = await createPolicy(options, host);
  const server = createListener(options.tls);
  await listen(server, host);
  const port = portOf(server);
  const context: ProxyContext = {
    policy,
    habits: new Habits(options.habits ?? []),
    record,
    blocked: options.blocked ?? (() => false),
    isSelf: (url) =>
      Number(url.port) === port && [host, '127.0.0.1', 'localhost', '[::1]'].includes(url.hostname),
    track,
  };
  server.on('connection', track);
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (!sockets.has(socket)) {
      track(socket);
    }
    record.connections += 1;
    void new ClientConnection(socket, record.connections, context).serve();
  });
  const close = (): Promise<void> => closeAll(server, sockets);
  return {
    url: `${options.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    host,
    port,
    log: record.log,
    counts: () => record.counts(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function createPolicy(options: CorporateProxyOptions, host: string): Promise<SignOnPolicy> {
  const { spn, tls } = options;
  const spns = typeof spn === 'string' ? [spn] : spn;
  return {
    schemes: options.schemes,
    accounts: await Accounts.of(options.users ?? []),
    negotiate: options.negotiate ?? { raw: true, wrapped: true },
    strict: options.strict ?? true,
    spns: spns ?? [`HTTP/${host}`, 'HTTP/127.0.0.1', 'HTTP/localhost'],
    channelBinding: tls === undefined ? null : expectedChannelBinding(tls.cert),
    requireChannelBinding: options.requireChannelBinding ?? false,
  };
}

function createListener(tls: CorporateProxyOptions['tls']): Server {
  const common = { allowHalfOpen: true, noDelay: true };
  if (tls === undefined) {
    return createServer(common);
  }
  // A client that breaks off the TLS handshake is its own affair; its socket is tracked and ends.
  return createTlsServer({ ...common, ...tls }).on('tlsClientError', () => undefined);
}

function listen(server: Server, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) {
      socket.destroy();
    }
  });
}
