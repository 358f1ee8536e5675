// Reads the URL of a proxy. Owns its syntax, more forgiving than RFC 3986 about passwords, and the promise that
// no error shows any part of the value: what was meant as a password cannot be told from the rest.
import type { SallyportErrorOptions } from '../errors/sallyport-error.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { Secret } from '../observe/secret.ts';
import { normalizeHost, parsePort } from './host.ts';
import type { ProxyAddress } from './route.ts';

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/**
 * Reads `[http://|https://][user[:password]@]host[:port][/]`. White space around it is dropped. User information
 * ends at the last `@` and is percent-decoded once, so that `@`, `/`, `:` and `\` in passwords may stand raw.
 *
 * @param source who named this proxy, for messages: `HTTPS_PROXY`
 * @throws SallyportError PROXY_URL_INVALID
 */
export function parseProxyUrl(text: string, source: string): ProxyAddress {
  const url = text.trim();
  if (url === '') {
    throw invalid(source, 'is empty', { hint: 'To go without a proxy, say direct.' });
  }
  if (/[\p{Cc} ]/u.test(url)) {
    throw invalid(source, 'has a space or a control character', {
      hint: 'In a password, write a space as %20.',
    });
  }
  const scheme = parseScheme(url, source);
  const rest = url.replace(SCHEME, '');
  const at = rest.lastIndexOf('@');
  return {
    scheme,
    ...parseAuthority(rest.slice(at + 1), DEFAULT_PORTS[scheme], source),
    ...parseUserInformation(rest.slice(0, Math.max(at, 0)), source),
  };
}

function parseScheme(url: string, source: string): 'http' | 'https' {
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase() ?? 'http';
  if (scheme === 'http' || scheme === 'https') {
    return scheme;
  }
  if (scheme.startsWith('socks')) {
    throw invalid(source, 'names a SOCKS proxy', {
      hint: 'Sallyport signs on to HTTP proxies only: give the http:// URL of one.',
    });
  }
  throw invalid(source, 'has a scheme other than http and https');
}

function parseAuthority(
  text: string,
  defaultPort: number,
  source: string,
): { host: string; port: number } {
  const authority = text.replace(/\/$/, '');
  if (/[/?#]/.test(authority)) {
    throw invalid(source, 'has a path, query or fragment after the host', {
      hint: 'A proxy is a host and a port: http://proxy.example:8080',
    });
  }
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(authority);
  if (match === null) {
    throw invalid(source, 'has a host that cannot be understood', {
      hint: 'An IPv6 address stands in brackets: http://[2001:db8::1]:8080',
    });
  }
  const [, bracketed, plain, portText] = match;
  if (plain === '') {
    throw invalid(source, 'has no host');
  }
  const host = bracketed === undefined ? normalizeHost(plain ?? '') : findIPv6(bracketed);
  if (host === undefined) {
    throw invalid(source, 'has a host that is neither a name nor an address');
  }
  const port = portText === undefined ? defaultPort : parsePort(portText);
  if (port === undefined) {
    throw invalid(source, 'has a port that is no number from 1 to 65535', {
      hint: 'Write it as http://proxy.example:8080.',
    });
  }
  return { host, port };
}

function findIPv6(text: string): string | undefined {
  return text.includes(':') ? normalizeHost(text) : undefined;
}

/** A lone `:` (as in `http://:@proxy`) names nobody: some tools write it to ask for single sign-on. */
function parseUserInformation(text: string, source: string): { user?: string; password?: Secret } {
  if (text === '' || text === ':') {
    return {};
  }
  const colon = text.indexOf(':');
  if (colon < 0) {
    return { user: decode(text, source) };
  }
  return {
    user: decode(text.slice(0, colon), source),
    password: new Secret(decode(text.slice(colon + 1), source)),
  };
}

function decode(text: string, source: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw invalid(source, 'has a % in its user information that starts no UTF-8 escape', {
      hint: 'Write %25 for the character %.',
      cause: error,
    });
  }
}

function invalid(
  source: string,
  what: string,
  options: SallyportErrorOptions = {},
): SallyportError {
  return new SallyportError('PROXY_URL_INVALID', `The proxy URL of ${source} ${what}`, options);
}
