// What is asked for: a URL, or the `host:port` of a connection. Owns their syntax.
import { isIPv6 } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';

export interface Target {
  /** A name or address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`; IPv6 in brackets.
 *
 * @throws SallyportError URL_INVALID
 */
export function parseTarget(target: string | Target): Target {
  const text = typeof target === 'string' ? target : targetName(target);
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]\\]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const malformed = match === null || port < 1 || port > 65_535;
  if (malformed || (match?.[1] !== undefined && !isIPv6(host))) {
    throw new SallyportError('URL_INVALID', 'The target is not host:port', {
      hint: 'Write it as example.com:443 or [2001:db8::1]:443.',
    });
  }
  return { host, port };
}

export function targetName({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * An http or https URL with a host.
 *
 * @throws SallyportError URL_INVALID, without showing a text that may hold a password
 */
export function parseUrl(address: string | URL): URL {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : address;
  const isHttp = url instanceof URL && /^https?:$/.test(url.protocol) && url.hostname !== '';
  if (!isHttp) {
    throw new SallyportError('URL_INVALID', 'The target is not an http:// or https:// URL');
  }
  return url;
}

/** Host and port of an http or https URL. */
export function targetOf(url: URL): Target {
  const standard = url.protocol === 'https:' ? 443 : 80;
  const port = url.port === '' ? standard : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
