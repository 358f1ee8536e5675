// What a route is: through which proxy or direct, and who said so. Owns the types and the printable form of a
// proxy; finding the route is `resolve-route.ts`'s.
import { isIPv6 } from 'node:net';
import type { Secret } from '../observe/secret.ts';

/** One HTTP proxy, with the user information its URL may have held. */
export interface ProxyAddress {
  readonly scheme: 'http' | 'https';
  /** Lower-case name without trailing dot, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: Secret;
}

/** Who named a proxy or a bypass list. */
export interface RouteSource {
  readonly kind:
    | 'option'
    | 'sallyport-environment'
    | 'configuration'
    | 'environment'
    | 'system'
    /** Not read yet; the rules for them are in `auth/sign-on-rules.ts`. */
    | 'pac'
    | 'wpad'
    | 'default';
  /** As the user would look for it: `--proxy`, `SALLYPORT_PROXY`, `/path/config.json: proxy`, `HTTPS_PROXY`. */
  readonly name: string;
}

/** The way to one target. `source` of a bypassed route is who named the proxy that is passed by. */
export type Route =
  | { readonly kind: 'proxy'; readonly proxy: ProxyAddress; readonly source: RouteSource }
  | {
      readonly kind: 'direct';
      readonly source: RouteSource;
      readonly bypass?: { readonly entry: string; readonly source: RouteSource };
      /** What the system's settings say and this version cannot follow: a sentence for people. */
      readonly note?: string;
    };

/** `scheme://host:port`, for people and logs: never with user information. */
export function formatProxyUrl(proxy: ProxyAddress): string {
  const host = isIPv6(proxy.host) ? `[${proxy.host}]` : proxy.host;
  return `${proxy.scheme}://${host}:${proxy.port}`;
}
