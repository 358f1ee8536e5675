// The public test origin: a web server with known pages, and NTLM in front of some of them. Owns the listener
// and the 401; the pages are `origin-pages.ts`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { expectedChannelBinding } from './acceptors/channel-binding.ts';
import type { ProxyUser } from './accounts.ts';
import { Accounts } from './accounts.ts';
import type { Listener } from './listener.ts';
import { openListener } from './listener.ts';
import { servePage } from './origin-pages.ts';
import type { SignOnPolicy } from './sign-on.ts';
import { ConnectionSignOn, offersOf } from './sign-on.ts';

export interface OriginOptions {
  /** PEM; makes an `https://` origin. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Who may read `/ntlm/...`; without users those paths do not exist. */
  readonly users?: readonly ProxyUser[];
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
 * - `/truncated/N`: announces N bytes, sends half of them, closes
 * - `/ntlm/...`: all of the above for those who sign the connection on by NTLM (401), with `users`
 *
 * @example
 * ```ts
 * await using origin = await createOrigin();
 * const answer = await fetch(`${origin.url}/bytes/1000`);
 * ```
 */
export async function createOrigin(options: OriginOptions = {}): Promise<Origin> {
  const policy = await createPolicy(options);
  const connections = new WeakMap<Socket, { number: number; signOn: ConnectionSignOn }>();
  const log: OriginLogEntry[] = [];
  let accepted = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { number, signOn } = connections.get(request.socket) ?? {
      number: 0,
      signOn: new ConnectionSignOn(policy),
    };
    const isGuarded = policy.schemes.length > 0 && request.url?.startsWith('/ntlm/') === true;
    const decision = isGuarded ? signOn.decide(credentialsOf(request)) : null;
    log.push({
      connection: number,
      method: request.method ?? '',
      url: request.url ?? '',
      user: decision?.user ?? null,
    });
    if (decision !== null && decision.kind !== 'pass') {
      const offers = decision.header === null ? offersOf(policy.schemes) : [decision.header];
      response.writeHead(401, { 'www-authenticate': offers }).end('Sign-on required\n');
      return;
    }
    const path = isGuarded ? request.url?.slice('/ntlm'.length) : request.url;
    void servePage(path ?? '/', request, response);
  };
  const server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer);
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    accepted += 1;
    connections.set(socket, { number: accepted, signOn: new ConnectionSignOn(policy) });
  });
  const listener: Listener = await openListener(server, options);
  return { ...listener, log };
}

async function createPolicy(options: OriginOptions): Promise<SignOnPolicy> {
  const users = options.users ?? [];
  const host = options.host ?? '127.0.0.1';
  return {
    schemes: users.length > 0 ? ['NTLM'] : [],
    accounts: await Accounts.of(users),
    negotiate: { raw: false, wrapped: false },
    strict: options.strict ?? true,
    spns: [`HTTP/${host}`, 'HTTP/127.0.0.1', 'HTTP/localhost'],
    channelBinding: options.tls === undefined ? null : expectedChannelBinding(options.tls.cert),
    requireChannelBinding: false,
  };
}

function credentialsOf({ headers }: IncomingMessage): string[] {
  return headers.authorization === undefined ? [] : [headers.authorization];
}
