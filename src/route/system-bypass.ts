// The bypass lists of operating systems. Owns their two dialects, translated into the rules of `no-proxy.ts`; what
// cannot be understood is skipped, for these lists were written for other programs.
import { isIP } from 'node:net';
import type { SystemProxy } from '../settings/system-proxy.ts';
import type { BypassRule } from './no-proxy.ts';
import { findBypass, parseBypassEntry } from './no-proxy.ts';

/** The entry of the system's list that covers the target, as it was written. */
export function findSystemBypass(
  { bypass = [], bypassDialect, bypassLocal }: SystemProxy,
  target: URL,
  port: number,
): string | undefined {
  const host = target.hostname;
  if (bypassLocal && !host.includes('.') && isIP(host.replace(/^\[|\]$/g, '')) === 0) {
    return '<local>';
  }
  for (const entry of bypass) {
    const rule =
      bypassDialect === 'domains' ? parseDomain(entry) : parsePattern(entry, target.protocol);
    if (rule !== undefined && findBypass([rule], host, port) !== undefined) {
      return entry;
    }
  }
  return undefined;
}

/** All of it, for targets of one protocol (`http:`, `https:`). */
export function systemBypassRules(
  { bypass = [], bypassDialect }: SystemProxy,
  protocol: string,
): BypassRule[] {
  return bypass
    .map((entry) =>
      bypassDialect === 'domains' ? parseDomain(entry) : parsePattern(entry, protocol),
    )
    .filter((rule) => rule !== undefined);
}

/** As in GLib's GSimpleProxyResolver: a leading dot or `*.` does not leave the domain itself out. */
function parseDomain(entry: string): BypassRule | undefined {
  return parseBypassEntry(entry.trim().replace(/^\*?\.(?=.)/, ''));
}

/** `[scheme://]host[:port]`, `*` for any characters; `169.254/16` of macOS leaves zeros out. */
function parsePattern(text: string, protocol: string): BypassRule | undefined {
  const [, scheme, entry = ''] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(text.trim()) ?? [];
  if (scheme !== undefined && `${scheme.toLowerCase()}:` !== protocol) {
    return undefined;
  }
  const network = /^(\d+(?:\.\d+){0,3})\/(\d+)$/.exec(entry);
  if (network !== null) {
    const numbers = [...(network[1] ?? '').split('.'), '0', '0', '0'].slice(0, 4);
    return parseBypassEntry(`${numbers.join('.')}/${network[2]}`);
  }
  const plain = parseBypassEntry(entry);
  if (plain?.host.kind === 'network' || plain?.host.kind === 'any') {
    return plain;
  }
  const [, host = '', port] = /^([^:[\]/]+)(?::(\d{1,5}))?$/.exec(entry) ?? [];
  return host === ''
    ? undefined
    : {
        entry,
        port: port === undefined ? undefined : Number(port),
        host: { kind: 'pattern', parts: host.toLowerCase().replace(/\.$/, '').split('*') },
      };
}
