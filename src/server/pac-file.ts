// A proxy auto-configuration file for browsers: by way of this port, but for what the bypass lists let go directly. Owns the
// translation of their rules into the JavaScript of 1999 that PAC evaluators know; it asks no DNS, as the rules do not.
import type { ProtocolWay } from '../route/resolve-route.ts';

/** `FindProxyForURL` hides names behind a dot that some evaluators have as globals; these are our own. */
const MATCHER = `
function hostOf(host) {
  host = host.toLowerCase();
  if (host.charAt(0) === '[') {
    host = host.substring(1, host.length - 1);
  }
  return host.charAt(host.length - 1) === '.' ? host.substring(0, host.length - 1) : host;
}

function portOf(url, usual) {
  var authority = url.substring(url.indexOf('://') + 3).split(/[\\/?#]/)[0];
  var digits = /:(\\d+)$/.exec(authority);
  return digits === null ? usual : Number(digits[1]);
}

function endsWith(text, end) {
  return text.length >= end.length && text.substring(text.length - end.length) === end;
}

function bitsOf4(text) {
  var parts = /^(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})$/.exec(text);
  if (parts === null) {
    return null;
  }
  var bits = '';
  for (var at = 1; at <= 4; at += 1) {
    bits += (256 + Number(parts[at])).toString(2).substring(1);
  }
  return bits;
}

function bitsOf6(text) {
  if (text.indexOf(':') < 0 || /[^0-9a-f:.]/.test(text)) {
    return null;
  }
  var last = text.substring(text.lastIndexOf(':') + 1);
  var four = bitsOf4(last);
  if (four !== null) {
    text = text.substring(0, text.length - last.length) +
      parseInt(four.substring(0, 16), 2).toString(16) + ':' + parseInt(four.substring(16), 2).toString(16);
  }
  var halves = text.split('::');
  var head = halves[0] === '' ? [] : halves[0].split(':');
  var tail = halves.length < 2 || halves[1] === '' ? [] : halves[1].split(':');
  var bits = '';
  for (var at = 0; at < 8; at += 1) {
    var word = at < head.length ? head[at] : at < 8 - tail.length ? '0' : tail[at - 8 + tail.length];
    bits += (65536 + parseInt(word, 16)).toString(2).substring(1);
  }
  return bits;
}

function bitsOf(host) {
  var bits = bitsOf4(host) || bitsOf6(host);
  var mapped = '${'0'.repeat(80)}${'1'.repeat(16)}';
  return bits !== null && bits.length === 128 && bits.indexOf(mapped) === 0 ? bits.substring(96) : bits;
}

function hasParts(host, parts) {
  if (parts.length === 1) {
    return host === parts[0];
  }
  var last = parts[parts.length - 1];
  var from = parts[0].length;
  if (host.substring(0, from) !== parts[0] || !endsWith(host, last)) {
    return false;
  }
  for (var at = 1; at < parts.length - 1; at += 1) {
    var found = host.indexOf(parts[at], from);
    if (found < 0) {
      return false;
    }
    from = found + parts[at].length;
  }
  return from <= host.length - last.length;
}

function covers(rule, host, port, bits) {
  if (rule.port !== 0 && rule.port !== port) {
    return false;
  }
  switch (rule.kind) {
    case 'any':
      return true;
    case 'local':
      return bits === null && host.indexOf('.') < 0;
    case 'domain':
      return endsWith(host, '.' + rule.name) || (rule.itself && host === rule.name);
    case 'pattern':
      return hasParts(host, rule.parts);
    default:
      return bits !== null && bits.length === rule.width && bits.indexOf(rule.bits) === 0;
  }
}

function FindProxyForURL(url, host) {
  var isSecure = /^(https|wss):/i.test(url);
  var way = isSecure ? ways.https : ways.http;
  var name = hostOf(host);
  var port = portOf(url, isSecure ? 443 : 80);
  var bits = bitsOf(name);
  if (way === null || name === 'localhost' || endsWith(name, '.localhost')) {
    return 'DIRECT';
  }
  for (var at = 0; at < way.length; at += 1) {
    if (covers(way[at], name, port, bits)) {
      return 'DIRECT';
    }
  }
  return proxy;
}
`;

/** This machine, and names on it. */
const LOOPBACK: readonly PacRule[] = [
  { port: 0, kind: 'network', width: 32, bits: '01111111' },
  { port: 0, kind: 'network', width: 128, bits: `${'0'.repeat(127)}1` },
];

type PacRule = { readonly port: number } & (
  | { readonly kind: 'any' | 'local' }
  | { readonly kind: 'domain'; readonly name: string; readonly itself: boolean }
  | { readonly kind: 'pattern'; readonly parts: readonly string[] }
  /** The bits its addresses begin with. */
  | { readonly kind: 'network'; readonly width: 32 | 128; readonly bits: string }
);

/**
 * @param host `address:port` of this proxy, as whoever asked for the file reaches it
 * @param ways for `http:` (and `ws:`), and for `https:` (and `wss:`)
 */
export function pacFile(
  host: string,
  ways: { readonly http: ProtocolWay; readonly https: ProtocolWay },
): string {
  const address = /:\d+$/.test(host) ? host : `${host}:80`;
  const rules = { http: rulesOf(ways.http), https: rulesOf(ways.https) };
  return [
    '// Made by sallyport serve. Without fallback: what has to go by the proxy does not go directly when it is down.',
    `var proxy = ${script(`PROXY ${address}`)};`,
    `var ways = ${script(rules)};`,
    MATCHER,
  ].join('\n');
}

/** Also safe where somebody puts it into a page. */
function script(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `null`: everything goes directly. */
function rulesOf(way: ProtocolWay): readonly PacRule[] | null {
  if (way.kind === 'direct') {
    return null;
  }
  const local: readonly PacRule[] = way.bypassLocal ? [{ port: 0, kind: 'local' }] : [];
  return [...LOOPBACK, ...local, ...way.bypass.map(ruleOf)];
}

function ruleOf({
  port = 0,
  host,
}: Extract<ProtocolWay, { kind: 'proxy' }>['bypass'][number]): PacRule {
  switch (host.kind) {
    case 'any':
      return { port, kind: 'any' };
    case 'domain':
      return { port, kind: 'domain', name: host.name, itself: host.itself };
    case 'pattern':
      return { port, kind: 'pattern', parts: host.parts };
    case 'network': {
      const width = host.family === 'ipv4' ? 32 : 128;
      return { port, kind: 'network', width, bits: bitsOf(host.address).slice(0, host.bits) };
    }
  }
}

/** @param address IPv4, or IPv6 as RFC 5952 writes it */
function bitsOf(address: string): string {
  if (!address.includes(':')) {
    return address
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join('');
  }
  const [head = [], tail] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const words = [
    ...head,
    ...(tail === undefined ? [] : [...Array(8 - head.length - tail.length).fill('0'), ...tail]),
  ];
  return words.map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('');
}
