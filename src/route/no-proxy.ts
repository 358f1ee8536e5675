// The bypass list (NO_PROXY): which targets are reached without the proxy. Owns the dialect, which is written
// down with its reasons in docs/decisions/bypass-list.md; never asks DNS.
import { BlockList, isIP } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseWordList } from '../settings/word-list.ts';
import { normalizeHost, parsePort } from './host.ts';
import type { RouteSource } from './route.ts';

/** One entry of a bypass list, understood. */
export interface BypassRule {
  /** As it was written, for `which` and messages. */
  readonly entry: string;
  /** `undefined`: every port. */
  readonly port: number | undefined;
  readonly host: HostRule;
}

type HostRule =
  | { readonly kind: 'any' }
  | { readonly kind: 'domain'; readonly name: string; readonly itself: boolean }
  | { readonly kind: 'pattern'; readonly parts: readonly string[] }
  | {
      readonly kind: 'network';
      readonly family: Family;
      readonly address: string;
      readonly bits: number;
      readonly members: BlockList;
    };
type Family = 'ipv4' | 'ipv6';

/**
 * Reads a list separated by commas or white space. Entries that cannot be understood are skipped in `NO_PROXY`,
 * which is written for other tools too, and refused everywhere else.
 *
 * @throws SallyportError NO_PROXY_INVALID
 */
export function parseBypassList(text: string, source: RouteSource): BypassRule[] {
  const rules: BypassRule[] = [];
  for (const entry of parseWordList(text)) {
    const rule = parseBypassEntry(entry);
    if (rule !== undefined) {
      rules.push(rule);
    } else if (source.kind !== 'environment') {
      throw invalidEntry(entry, text, source);
    }
  }
  return rules;
}

/**
 * The first rule that covers the target, compared by name or number as written.
 *
 * @param host a name or an address, in a URL's brackets or without
 */
export function findBypass(
  rules: readonly BypassRule[],
  host: string,
  port: number,
): BypassRule | undefined {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const target = unmap(normalizeHost(bare) ?? bare.toLowerCase());
  return rules.find(
    (rule) => (rule.port === undefined || rule.port === port) && covers(rule.host, target),
  );
}

function covers(rule: HostRule, host: string): boolean {
  switch (rule.kind) {
    case 'any':
      return true;
    case 'domain':
      return (rule.itself && host === rule.name) || host.endsWith(`.${rule.name}`);
    case 'pattern':
      return hasParts(host, rule.parts);
    case 'network':
      // False for a name and for an address of the other family.
      return rule.members.check(host, rule.family);
  }
}

/** Whether the parts between the stars of a pattern stand in the host in this order, the outer ones at its ends. */
function hasParts(host: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) {
    return host === first;
  }
  const end = host.length - last.length;
  let from = first.length;
  for (const part of rest) {
    const at = host.indexOf(part, from);
    if (at < 0) {
      return false;
    }
    from = at + part.length;
  }
  return host.startsWith(first) && host.endsWith(last) && from <= end;
}

/** One entry, or `undefined` when it cannot be understood. */
export function parseBypassEntry(entry: string): BypassRule | undefined {
  if (entry.includes('/')) {
    return parseCidr(entry);
  }
  if (isIP(entry) !== 0) {
    return networkRule(entry, entry, undefined, undefined);
  }
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::([^:]*))?$/.exec(entry);
  if (match === null) {
    return undefined;
  }
  const [, bracketed, plain = '', portText] = match;
  if (bracketed?.includes(':') === false) {
    return undefined;
  }
  const port = portText === undefined ? undefined : parsePort(portText);
  if (portText !== undefined && port === undefined) {
    return undefined;
  }
  const address = bracketed ?? plain;
  return isIP(address) === 0
    ? nameRule(entry, plain, port)
    : networkRule(entry, address, undefined, port);
}

function nameRule(entry: string, text: string, port: number | undefined): BypassRule | undefined {
  if (text === '*') {
    return { entry, port, host: { kind: 'any' } };
  }
  const withoutDot = text.replace(/^\*?\./, '');
  const name = normalizeHost(withoutDot);
  if (name === undefined || isIP(name) !== 0) {
    return undefined;
  }
  return { entry, port, host: { kind: 'domain', name, itself: withoutDot === text } };
}

/** RFC 4632 section 3.1, RFC 4291 section 2.3. Bits behind the prefix may be set; they are ignored. */
function parseCidr(entry: string): BypassRule | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(entry);
  return match?.[1] === undefined
    ? undefined
    : networkRule(entry, match[1], Number(match[2]), undefined);
}

/** An address is a network of one. The prefix of an IPv4-mapped network counts the 96 bits of the mapping. */
function networkRule(
  entry: string,
  text: string,
  prefix: number | undefined,
  port: number | undefined,
): BypassRule | undefined {
  const written = normalizeHost(text) ?? '';
  const address = unmap(written);
  const family = familyOf(address);
  if (family === undefined) {
    return undefined;
  }
  const width = family === 'ipv4' ? 32 : 128;
  const mapping = address === written ? 0 : 96;
  const bits = prefix === undefined ? width : prefix - mapping;
  if (bits < 0 || bits > width) {
    return undefined;
  }
  const members = new BlockList();
  members.addSubnet(address, bits, family);
  return { entry, port, host: { kind: 'network', family, address, bits, members } };
}

function familyOf(host: string): Family | undefined {
  switch (isIP(host)) {
    case 4:
      return 'ipv4';
    case 6:
      return 'ipv6';
    default:
      return undefined;
  }
}

/** `::ffff:a00:1` (RFC 4291 section 2.5.5.2) is 10.0.0.1; everything else stays as it is. */
function unmap(host: string): string {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (match === null) {
    return host;
  }
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** Shows the entry, unless the list has an `@`: then somebody put user information into it. */
function invalidEntry(entry: string, text: string, source: RouteSource): SallyportError {
  const shown = text.includes('@') ? 'an entry' : `the entry ${JSON.stringify(entry.slice(0, 60))}`;
  return new SallyportError(
    'NO_PROXY_INVALID',
    `The bypass list of ${source.name} has ${shown} that cannot be understood`,
    { hint: 'Entries are host, .domain, host:port, address, network/prefix or *.' },
  );
}
