// The public embedded corporate proxy: options in, a listening proxy out. Owns the listener and its end.
import type { Server, Socket } from 'node:net';
import { createServer as createPlainServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expectedChannelBinding } from './acceptors/channel-binding.ts';
import type { DigestBehaviour } from './acceptors/digest.ts';
import { DigestAuthority } from './acceptors/digest.ts';
import type { NegotiateForms } from './acceptors/negotiate-acceptor.ts';
import type { ProxyUser } from './accounts.ts';
import { Accounts } from './accounts.ts';
import { Authenticators } from './authenticators.ts';

import { ClientConnection } from './client-connection.ts';
import type { Habit } from './habits.ts';
import { Habits } from './habits.ts';
import { openListener } from './listener.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { ProxyCounts, ProxyLogEntry } from './record.ts';
import { ProxyRecord } from './record.ts';
import type { ProxyScheme, SignOnPolicy } from './sign-on.ts';
import { SignedOnConnections } from './signed-on-connections.ts';

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
  /** How Digest is offered and judged. Default: MD5, `qop=auth`, as squid does. */
  readonly digest?: DigestBehaviour;
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
  /** Default 0: any that is free. With a number a proxy can be ended and started again at the same place. */
  readonly port?: number;
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
 * Starts a forward proxy (CONNECT and absolute-form), on a free port unless told, that signs users on as corporate
 * proxies do: NTLM and Negotiate sign the connection on, Digest and Basic every request.
 *
 * Its acceptor shares no code with Sallyport's clients. A refused sign-on shows as a bare 407; the
 * reason stands in `log`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { request } from 'sallyport';
 * import { createCorporateProxy } from 'sallyport/testing';
 *
 * await using proxy = await createCorporateProxy({
 *   schemes: ['NTLM'],
 *   users: [{ name: 'alice', domain: 'CORP', password: 'secret' }],
 *   habits: ['close-on-first-407'],
 * });
 * // Any client will do: this is the place of yours.
 * const client = { proxy: proxy.url, user: 'CORP\\alice', password: 'secret' };
 * const { body } = await request('http://intranet.example/', client);
 * body.resume();
 * assert.equal(proxy.counts().finalLegs['CORP\\alice'], 1);
 * ```
 */
export async function createCorporateProxy(
  options: CorporateProxyOptions,
): Promise<CorporateProxy> {
  const habits = new Habits(options.habits ?? []);
  const authenticators = new Authenticators(habits.parameters('few-authenticators').children);
  const record = new ProxyRecord(authenticators);
  const policy = await createPolicy(options, habits);
  const server = createServer(options.tls);
  const listener = await openListener(server, options);
  const context: ProxyContext = {
    policy,
    habits,
    authenticators,
    signedOn: new SignedOnConnections(),
    record,
    blocked: options.blocked ?? (() => false),
    isSelf: (url) =>
      Number(url.port) === listener.port &&
      [listener.host, '127.0.0.1', 'localhost', '[::1]'].includes(url.hostname),
  };
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    record.connections += 1;
    void new ClientConnection(socket, record.connections, context).serve();
  });
  return { ...listener, log: record.log, counts: () => record.counts() };
}

async function createPolicy(options: CorporateProxyOptions, habits: Habits): Promise<SignOnPolicy> {
  const { host = '127.0.0.1', spn, tls } = options;
  const spns = typeof spn === 'string' ? [spn] : spn;
  const accounts = await Accounts.of(options.users ?? []);
  return {
    schemes: options.schemes,
    accounts,
    digest: new DigestAuthority(options.digest ?? {}, accounts),
    negotiate: options.negotiate ?? { raw: true, wrapped: true },
    strict: options.strict ?? true,
    spns: spns ?? [`HTTP/${host}`, 'HTTP/127.0.0.1', 'HTTP/localhost'],
    channelBinding: tls === undefined ? null : expectedChannelBinding(tls.cert),
    requireChannelBinding: options.requireChannelBinding ?? false,
    challengeForm: () => ({
      targetInfo: !habits.shows('no-target-info'),
      timestamp: !habits.shows('no-timestamp'),
      bothCharsets: habits.shows('both-charsets'),
    }),
  };
}

function createServer(tls: CorporateProxyOptions['tls']): Server {
  const common = { allowHalfOpen: true, noDelay: true };
  return tls === undefined ? createPlainServer(common) : createTlsServer({ ...common, ...tls });
}
