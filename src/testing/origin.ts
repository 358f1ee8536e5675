// The public test origin: a web server with known pages, and NTLM or Digest in front of some of them. Owns the listener
// and the 401; the pages are `origin-pages.ts`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { expectedChannelBinding } from './acceptors/channel-binding.ts';
import type { DigestBehaviour } from './acceptors/digest.ts';
import { DigestAuthority } from './acceptors/digest.ts';
import type { ProxyUser } from './accounts.ts';
import { Accounts } from './accounts.ts';
import type { Listener } from './listener.ts';
import { openListener } from './listener.ts';
import { offersOf } from './offers.ts';
import { servePage } from './origin-pages.ts';
import type { Decision, ProxyScheme, SignOnPolicy } from './sign-on.ts';
import { ConnectionSignOn } from './sign-on.ts';

export interface OriginOptions {
  /** PEM; makes an `https://` origin. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Who may read `/ntlm/...` and `/digest/...`; without users those paths do not exist. */
  readonly users?: readonly ProxyUser[];
  /** As of `CorporateProxyOptions`. */
  readonly digest?: DigestBehaviour;
  /** As of `CorporateProxyOptions`. Default `true`. */
  readonly strict?: boolean;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
}

/** One request as the origin saw it. */
export interface OriginLogEntry {
  readonly connection: number;
  readonly method: string;
  readonly url: string;
  readonly user: string | null;
}

/** A running origin. */
export interface Origin extends AsyncDisposable {
  /** `http://host:port`, or `https:` with `tls`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly log: readonly OriginLogEntry[];
  /** Ends every connection and resolves when nothing of the origin is left. */
  close(): Promise<void>;
}

/**
 * Starts a web server on a free port with these paths:
 *
 * - `/bytes/N`: N bytes (`originBytes`) with Content-Length; `/chunked/N`: the same, chunked
 * - `/echo-sha256`: digest and length of the request body, as JSON
 * - `/headers`: the request's headers, as JSON
 * - `/redirect/N`: N redirects, then a page; `/status/NNN`: that status, no body
 * - `/proxy-challenge`: a 407 that only a proxy should send, with offers; its body is that of `/headers`
 * - `/truncated/N`: announces N bytes, sends half of them, closes
 * - `/ntlm/...`: all of the above for those who sign the connection on by NTLM (401), with `users`;
 *   `/digest/...` by Digest, each request, and `/other-digest/...` the same in another realm
 *
 * @example
 * ```ts
 * import { createOrigin } from 'sallyport/testing';
 *
 * await using origin = await createOrigin();
 * const answer = await fetch(`${origin.url}/bytes/1000`);
 * console.log((await answer.arrayBuffer()).byteLength); // 1000
 * ```
 */
export async function createOrigin(options: OriginOptions = {}): Promise<Origin> {
  const guards = await createGuards(options);
  const connections = new WeakMap<Socket, { number: number; signOns: ConnectionSignOn[] }>();
  const log: OriginLogEntry[] = [];
  let accepted = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { number, signOns } = connections.get(request.socket) ?? { number: 0, signOns: [] };
    const { method = '', url = '/' } = request;
    const place = guards.findIndex(({ path }) => url.startsWith(`${path}/`));
    const guard = guards[place];
    const decision =
      signOns[place]?.decide(credentialsOf(request), { method, target: url }) ?? null;
    log.push({ connection: number, method, url, user: decision?.user ?? null });
    if (guard !== undefined && decision !== null && decision.kind !== 'pass') {
      response.writeHead(401, { 'www-authenticate': challengeOf(guard.policy, decision) });
      response.end('Sign-on required\n');
      return;
    }
    if (decision?.info) {
      response.setHeader('Authentication-Info', decision.info);
    }
    void servePage(url.slice(guard?.path.length ?? 0), request, response);
  };
  const server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer);
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    accepted += 1;
    const signOns = guards.map(({ policy }) => new ConnectionSignOn(policy));
    connections.set(socket, { number: accepted, signOns });
  });
  const listener: Listener = await openListener(server, options);
  return { ...listener, log };
}

interface Guard {
  readonly path: string;
  readonly policy: SignOnPolicy;
}

async function createGuards(options: OriginOptions): Promise<Guard[]> {
  const accounts = await Accounts.of(options.users ?? []);
  return (options.users ?? []).length === 0
    ? []
    : [
        { path: '/ntlm', policy: policyOf('NTLM', accounts, options) },
        { path: '/digest', policy: policyOf('Digest', accounts, options) },
        {
          path: '/other-digest',
          policy: policyOf('Digest', accounts, {
            ...options,
            digest: { ...options.digest, realm: 'Other' },
          }),
        },
      ];
}

function policyOf(scheme: ProxyScheme, accounts: Accounts, options: OriginOptions): SignOnPolicy {
  const host = options.host ?? '127.0.0.1';
  return {
    schemes: [scheme],
    accounts,
    digest: new DigestAuthority(options.digest ?? {}, accounts),
    negotiate: { raw: false, wrapped: false },
    strict: options.strict ?? true,
    spns: [`HTTP/${host}`, 'HTTP/127.0.0.1', 'HTTP/localhost'],
    channelBinding: options.tls === undefined ? null : expectedChannelBinding(options.tls.cert),
    requireChannelBinding: false,
  };
}

function challengeOf(policy: SignOnPolicy, { header, isStale }: Decision): string[] {
  return header === null ? offersOf(policy, isStale) : [header];
}

function credentialsOf({ headers }: IncomingMessage): string[] {
  return headers.authorization === undefined ? [] : [headers.authorization];
}
