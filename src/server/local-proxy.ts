// The local proxy: a port behind which Sallyport signs on upstream. Owns its beginning, what its options allow, and its end.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { ownUserId } from '../native/connection-owner.ts';
import type { UserId } from '../native/loopback-ends.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { createAdmission } from './admission.ts';
import { allowedNetworks } from './allowed-networks.ts';
import { answerBytes, fullAnswer } from './answers.ts';
import { serveClient } from './client-connection.ts';
import { ClientPlaces } from './client-places.ts';
import { closeSoftly } from './close-softly.ts';
import { clientLimits } from './descriptors.ts';
import { hearUnread } from './heard-request.ts';
import { addressesToBind } from './listen-address.ts';
import { listen } from './listeners.ts';
import type { OwnPages } from './own-pages.ts';
import { createOwnPages } from './own-pages.ts';
import { PeerOwners } from './peer-owners.ts';
import { checkReach, usersWithoutToken } from './port-rules.ts';
import { refuseServiceAccount } from './service-account.ts';
import type { ServerCounts } from './traffic.ts';
import { Traffic } from './traffic.ts';
import type { UpstreamDoor } from './upstream-door.ts';

export type { ServerCounts };

export interface ProxyServerOptions {
  /** By which everything goes on. It stays the caller's: closing the proxy leaves it open. */
  readonly upstream: Upstream;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Clients that are served at the same time; more wait a moment, or get a 503. Default: as many as the descriptors allow. */
  readonly maxClients?: number;
  /**
   * Whoever sends it as a password is admitted, from wherever may connect. Default: a new one of 192 bits. `null`: there is
   * none, and `sameUser` or `allowUsers` decide alone.
   */
  readonly token?: string | null;
  /**
   * Whether programs of the user that runs this proxy need no token, on loopback. Default no.
   */
  readonly sameUser?: boolean;
  /** Further users that need none, by name or uid. Linux only. */
  readonly allowUsers?: readonly string[];
  /** An address to listen on beside loopback. Needs a token, and `allow`. */
  readonly host?: string | null;
  /** Networks that may connect to it, such as `172.17.0.0/16`; others are dropped before a byte is read. */
  readonly allow?: readonly string[];
}

/** The same for `serve`: by an upstream that changes its settings, and with pages of its own. */
type ServeProxyOptions = Omit<ProxyServerOptions, 'upstream'> & {
  readonly upstream: UpstreamDoor;
  readonly pages?: OwnPages;
};

/** A running local proxy. */
export interface ProxyServer extends AsyncDisposable {
  readonly port: number;
  /** `null` when it was told to have none. */
  readonly token: string | null;
  /** `http://x:TOKEN@127.0.0.1:PORT`, for HTTP_PROXY and its kin. */
  readonly url: string;
  /** How many clients are connected, and for how long nobody has been, in milliseconds. */
  readonly activity: { readonly clients: number; readonly quietMs: number };
  /** What has passed so far. */
  counts(): ServerCounts;
  /**
   * Accepts nobody any more, ends connections that rest, and waits for requests and tunnels that are under way.
   *
   * @param graceMs how long, in milliseconds; then it is cut. Default 0
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts a proxy for the programs of this user: CONNECT, absolute-form http (and https, as old clients send it),
 * WebSocket upgrades. It listens on 127.0.0.1 and ::1, and elsewhere only for networks that are named.
 *
 * An upstream that refuses the sign-on becomes a 502 with a page that says why: no program asks its user for a password.
 *
 * @throws SallyportError OPTION_INVALID when the port is not to be had, or the options would open it too far;
 *   SERVICE_ACCOUNT where it would sign on as the machine
 * @example
 * ```ts
 * import { createProxyServer, createUpstream } from 'sallyport';
 *
 * await using upstream = await createUpstream({ proxy: 'http://proxy.corp.example:3128' });
 * await using proxy = await createProxyServer({ upstream });
 * console.log(`HTTPS_PROXY=${proxy.url}`);
 * ```
 */
export function createProxyServer(options: ProxyServerOptions): Promise<ProxyServer> {
  return startProxyServer(options);
}

/**
 * As `createProxyServer`.
 *
 * @internal
 * @throws SallyportError as `createProxyServer`
 */
export async function startProxyServer(options: ServeProxyOptions): Promise<ProxyServer> {
  const token = options.token === undefined ? newToken() : options.token;
  checkReach({ ...options, token });
  const ownUser = whoRunsThis();
  refuseServiceAccount(ownUser);
  const networks = allowedNetworks(options.allow ?? []);
  const owners = new PeerOwners();
  const users = usersWithoutToken(options, ownUser);
  const traffic = new Traffic();
  const context = {
    upstream: options.upstream,
    traffic,
    pages: options.pages ?? createOwnPages({}),
    admission: createAdmission({ token, users, ownUser, owners }),
  };
  const limits = clientLimits();
  const capacity = options.maxClients ?? limits.capacity;
  const places = new ClientPlaces({
    ...limits,
    capacity,
    serve: (socket, place) => void serveClient(socket, place, context),
    turnAway: (socket) => turnAway(socket, capacity),
  });
  const accept = (socket: Socket): void =>
    networks.has(socket.remoteAddress) ? places.enter(socket) : void socket.destroy();
  const hosts = addressesToBind(options.host ?? null);
  const listeners = await listen(hosts, options.port ?? 0, accept);
  const close = async (graceMs = 0): Promise<void> => {
    const stopped = listeners.stop();
    places.close();
    const timer = setTimeout(() => listeners.cut(), graceMs);
    await stopped;
    clearTimeout(timer);
    owners[Symbol.dispose]();
  };
  return {
    port: listeners.port,
    token,
    url: `http://${token === null ? '' : `x:${token}@`}127.0.0.1:${listeners.port}`,
    get activity() {
      return places.activity;
    },
    counts: () => traffic.counts(),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function turnAway(socket: Socket, capacity: number): void {
  const own = fullAnswer(capacity);
  hearUnread('refused', own);
  socket.write(answerBytes(own, 'GET', false));
  closeSoftly(socket);
}

function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Where the system does not tell, nobody is the same user, and the token counts. */
function whoRunsThis(): UserId | null {
  try {
    return ownUserId();
  } catch (error) {
    if (isSallyportError(error)) {
      return null;
    }
    throw error;
  }
}
