// The engine for a single use: settings are read, one thing is done, nothing stays open. Long-lived programs make an
// `Upstream` of their own and share its pool.
import type { Socket } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { Route } from '../route/route.ts';
import { MAX_READY } from './ready-connections.ts';
import type { SallyportOptions } from './settings.ts';
import { resolveSettings } from './settings.ts';
import type { Target } from './target.ts';
import { parseUrl } from './target.ts';
import type { ConnectOptions, ConnectResult, HttpResponse } from './upstream.ts';
import { Upstream } from './upstream.ts';
import type { RequestOptions } from './wire-request.ts';

/**
 * A client with a pool of its own, for programs that make many requests.
 *
 * @throws SallyportError OPTION_INVALID, CONFIG_INVALID, CA_UNREADABLE
 * @example
 * ```ts
 * import { createUpstream } from 'sallyport';
 *
 * await using upstream = await createUpstream({ proxy: 'http://proxy.corp.example:3128' });
 * const { status, body } = await upstream.request('https://example.com/');
 * body.pipe(process.stdout);
 * ```
 */
export async function createUpstream(options: SallyportOptions = {}): Promise<Upstream> {
  const warm = checkWarm(options.warm);
  return new Upstream(await resolveSettings(options), undefined, { warm });
}

function checkWarm(warm = 0): number {
  if (!(Number.isInteger(warm) && warm >= 0 && warm <= MAX_READY)) {
    throw new SallyportError('OPTION_INVALID', `warm is not a number from 0 to ${MAX_READY}`);
  }
  return warm;
}

/**
 * Sends CONNECT for `host:port` and returns whatever the proxy finally answers, 407 included. Where
 * the route is direct, it connects, which counts as 200.
 *
 * @throws SallyportError when there is no answer; see `Upstream.connect`
 * @example
 * ```ts
 * import { connect } from 'sallyport';
 *
 * const { status, headers, socket, scheme, legs } = await connect('example.com:443');
 * socket.destroy();
 * ```
 */
export async function connect(
  target: string | Target,
  options: SallyportOptions & ConnectOptions = {},
): Promise<ConnectResult> {
  await using upstream = await createUpstream({ ...options, warm: 0 });
  return await upstream.connect(target, options);
}

/**
 * A socket to `host:port` through the proxy, or directly where the route says so.
 *
 * @throws SallyportError as `connect`; the refusal of a 407; PROXY_REFUSED for any other answer
 */
export async function openTunnel(
  target: string | Target,
  options: SallyportOptions & ConnectOptions = {},
): Promise<Socket> {
  await using upstream = await createUpstream({ ...options, warm: 0 });
  return await upstream.openTunnel(target, options);
}

/**
 * Sends one request and returns its answer, the body as a stream. Redirects are not followed.
 *
 * @throws SallyportError as `openTunnel`
 */
export async function request(
  url: string | URL,
  options: SallyportOptions & RequestOptions = {},
): Promise<HttpResponse> {
  await using upstream = await createUpstream({ ...options, warm: 0 });
  return await upstream.request(url, options);
}

/**
 * Which proxy a URL goes through, and who named it. Asks no network.
 *
 * @throws SallyportError URL_INVALID, PROXY_URL_INVALID, NO_PROXY_INVALID, CONFIG_INVALID
 */
export async function resolveProxy(
  url: string | URL,
  options: SallyportOptions = {},
): Promise<Route> {
  return (await resolveSettings(options)).routeFor(parseUrl(url));
}
