// The local proxy: a port on loopback behind which Sallyport signs on upstream. Owns its beginning and its end.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Upstream } from '../upstream/upstream.ts';
import { bearerAdmission } from './admission.ts';
import { answerBytes, fullAnswer } from './answers.ts';
import { serveClient } from './client-connection.ts';
import { ClientPlaces } from './client-places.ts';
import { closeSoftly } from './close-softly.ts';
import { clientLimits } from './descriptors.ts';
import { listen } from './listeners.ts';

export interface ProxyServerOptions {
  /** By which everything goes on. It stays the caller's: closing the proxy leaves it open. */
  readonly upstream: Upstream;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Whoever sends it as a password is admitted, nobody else. Default: a new one. */
  readonly token?: string;
  /** Clients that are served at the same time; more wait a moment, or get a 503. Default: as many as the descriptors allow. */
  readonly maxClients?: number;
}

/** A running local proxy. */
export interface ProxyServer extends AsyncDisposable {
  readonly port: number;
  readonly token: string;
  /** `http://x:TOKEN@127.0.0.1:PORT`, for HTTP_PROXY and its kin. */
  readonly url: string;
  /**
   * Accepts nobody any more, ends connections that rest, and waits for requests and tunnels that are under way.
   *
   * @param graceMs how long, in milliseconds; then it is cut. Default 0
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts a proxy for the programs of this user: CONNECT, absolute-form http (and https, as old clients send it),
 * WebSocket upgrades. It listens on 127.0.0.1 and ::1 only.
 *
 * An upstream that refuses the sign-on becomes a 502 with a page that says why: no program asks its user for a password.
 *
 * @throws SallyportError OPTION_INVALID when the port is not to be had
 * @example
 * ```ts
 * import { createProxyServer, createUpstream } from 'sallyport';
 *
 * await using upstream = await createUpstream();
 * await using proxy = await createProxyServer({ upstream });
 * console.log(`HTTPS_PROXY=${proxy.url}`);
 * ```
 */
export async function createProxyServer(options: ProxyServerOptions): Promise<ProxyServer> {
  const token = options.token ?? randomBytes(24).toString('base64url');
  const context = { upstream: options.upstream, admission: bearerAdmission(token) };
  const limits = clientLimits();
  const capacity = options.maxClients ?? limits.capacity;
  const places = new ClientPlaces({
    ...limits,
    capacity,
    serve: (socket, place) => void serveClient(socket, place, context),
    turnAway: (socket) => turnAway(socket, capacity),
  });
  const listeners = await listen(options.port ?? 0, (socket) => places.enter(socket));
  const close = async (graceMs = 0): Promise<void> => {
    const stopped = listeners.stop();
    places.close();
    const timer = setTimeout(() => listeners.cut(), graceMs);
    await stopped;
    clearTimeout(timer);
  };
  return {
    port: listeners.port,
    token,
    url: `http://x:${token}@127.0.0.1:${listeners.port}`,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function turnAway(socket: Socket, capacity: number): void {
  socket.write(answerBytes(fullAnswer(capacity), 'GET', false));
  closeSoftly(socket);
}
