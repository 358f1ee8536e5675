// What a client asks for in absolute-form (RFC 9112 section 3.2.2). Owns what is no address, and keeps the path as it was written.
import { SallyportError } from '../errors/sallyport-error.ts';

export interface ForwardTarget {
  readonly url: URL;
  /** Path and query byte for byte: a proxy does not rewrite them (RFC 9110 section 7.7). */
  readonly path: string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]+)([^#]*)/i;

/**
 * Old clients send `GET https://...` without a tunnel.
 *
 * @returns `null` for what is addressed to the proxy itself
 * @throws SallyportError URL_INVALID
 */
export function forwardTarget(target: string): ForwardTarget | null {
  if (target.startsWith('/') || target === '*') {
    return null;
  }
  const [, authority = '', path = ''] = ABSOLUTE.exec(target) ?? [];
  const url = authority === '' || /[@\\]/.test(authority) ? null : urlOf(target);
  if (url === null) {
    // A name and password in it is how one host is passed off as another (RFC 9110 section 4.2.4).
    const shown = target.slice(0, 100).replace(/\/\/[^/?#]*@/, '//***@');
    throw new SallyportError(
      'URL_INVALID',
      `${shown} is no address of http or https without a user name`,
    );
  }
  return { url, path: path.startsWith('/') ? path : `/${path}` };
}

/** Parses once, where `URL.canParse` and the constructor do it twice. */
function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
