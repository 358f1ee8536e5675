// The Kerberos service names of a server: as configured, as typed, or by its canonical name. Owns when the name service
// may have a say: only where the domain does not know the typed name, and only within one registrable domain.
import { isIP } from 'node:net';
import { realmOf } from '../auth/logons/logon-realm.ts';
import type { ServiceNames } from './first-token.ts';
import type { SpnCanonical } from './stated-values.ts';

/**
 * @param host as it was typed
 * @param configured `--spn`, which is then the only one
 */
export function serviceNames(
  host: string,
  configured: string | undefined,
  use: SpnCanonical,
): Omit<ServiceNames, 'known'> {
  const mayAsk = configured === undefined && use !== 'never' && isIP(host) === 0;
  return {
    typed: configured ?? `HTTP/${host}`,
    prefersCanonical: mayAsk && use === 'always',
    canonical: async () => {
      const name = mayAsk ? await canonicalNameOf(host) : null;
      return name === null || !isOneDomain(host, name) ? null : `HTTP/${name}`;
    },
  };
}

async function canonicalNameOf(host: string): Promise<string | null> {
  const { canonicalName } = await import('../native/canonical-name.ts');
  return canonicalName(host);
}

/** A short name becomes a full one; a full one may not leave its domain: the name service is not to be trusted so far. */
function isOneDomain(host: string, canonical: string): boolean {
  if (!host.includes('.')) {
    return canonical.split('.')[0] === host.toLowerCase();
  }
  return realmOf(host) === realmOf(canonical);
}
