// Which proxy a command is about that stores or removes something for one: that of a page, or of the network at large.
// Owns the page that stands for no page at all.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { ProxyAddress } from '../route/route.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { describeRoute } from './describe-route.ts';
import { parseAddress } from './web-address.ts';

/** Never resolves (RFC 6761), so that a proxy that lets somebody in reaches nobody. */
const ANY_PAGE = 'https://sallyport.invalid/';

export interface ChosenProxy {
  readonly url: URL;
  readonly proxy: ProxyAddress;
}

/** @throws SallyportError URL_INVALID; USAGE when the route is a direct one */
export function chooseProxy(
  address: string | undefined,
  settings: Pick<UpstreamSettings, 'routeFor'>,
): ChosenProxy {
  const url = parseAddress(address ?? ANY_PAGE);
  const route = settings.routeFor(url);
  if (route.kind === 'proxy') {
    return { url, proxy: route.proxy };
  }
  const what = address === undefined ? 'No proxy is named here' : `${url.origin} needs no proxy`;
  throw new SallyportError('USAGE', `${what}: ${describeRoute(route)}`, {
    hint: 'Name the proxy with --proxy http://host:port, or a page that goes through it.',
  });
}
