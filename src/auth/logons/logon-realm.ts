// Where a password is judged: all servers of one registrable domain ask the same directory. Owns that guess.
import { createRequire } from 'node:module';
import { isIP } from 'node:net';

interface SuffixList {
  getDomain(host: string, options: { allowPrivateDomains: boolean }): string | null;
}

let suffixList: SuffixList | null = null;

/**
 * The realm of a host: its registrable domain by the public suffix list, without private suffixes
 * (`proxy.corp.example` -> `corp.example`). An address, a name without a dot and a bare suffix are realms of their own.
 * Proxy and origin are not told apart: the wrong password that one has seen is one wrong password for both.
 *
 * @param host without port; IPv6 without brackets
 */
export function realmOf(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '');
  // Two labels are a registrable domain or a suffix: themselves, either way.
  if (isIP(name) !== 0 || name.split('.').length <= 2) {
    return name;
  }
  return loadSuffixList().getDomain(name, { allowPrivateDomains: false }) ?? name;
}

/** Only when a name needs it, and by `require`: 5 ms, where `import` of its many files takes 20. */
function loadSuffixList(): SuffixList {
  suffixList ??= createRequire(import.meta.url)('tldts') as SuffixList;
  return suffixList;
}
