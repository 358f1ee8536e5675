// The host part of proxy URLs, targets and bypass entries. Owns the one form in which hosts are compared and
// the range of ports; never asks DNS.
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** A name has 253 characters at most (RFC 1035 section 2.3.4). */
const MAX_NAME_CHARS = 253;
/** As typed: letters that IDNA drops count. What is longer is not converted, which takes its square in time. */
const MAX_TYPED_CHARS = 1024;
const NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * One form for each host: names in lower-case ASCII (IDNA A-labels) without trailing dot, IPv6 addresses as
 * RFC 5952 writes them, without brackets.
 *
 * @returns `undefined` for what is neither a name nor an address. IPv4 in other than four decimal numbers is
 *   refused: `010.0.0.1` is 8.0.0.1 to some programs and 10.0.0.1 to others.
 */
export function normalizeHost(text: string): string | undefined {
  if (isIPv6(text)) {
    return normalizeIPv6(text);
  }
  // domainToASCII() would decode the % and stop at the others.
  if (text.length > MAX_TYPED_CHARS || /[%/?#\\@]/.test(text)) {
    return undefined;
  }
  const name = domainToASCII(text.replace(/\.$/, ''));
  if (isIPv4(name)) {
    return name === text ? name : undefined;
  }
  return name.length <= MAX_NAME_CHARS && NAME.test(name) ? name : undefined;
}

/** Ports are 1 to 65535, in digits only. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** A zone (`fe80::1%eth0`) has no place in a URL (RFC 9844) and no meaning on another machine. */
function normalizeIPv6(text: string): string | undefined {
  const url = `http://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}
