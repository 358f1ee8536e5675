// Which security library this machine has: the one place that chooses by platform. Owns the choice and remembers it.
import type { SecurityProvider } from './security-context.ts';

const providers = new Map<string, Promise<SecurityProvider>>();

/**
 * SSPI on Windows, GSSAPI elsewhere; loaded once, at the first use.
 *
 * @param library another library than the usual ones, as a path or a name the loader knows
 * @throws SallyportError SIGN_ON_UNAVAILABLE
 */
export function loadSecurityProvider(library?: string): Promise<SecurityProvider> {
  const key = library ?? '';
  const known = providers.get(key) ?? load(library);
  providers.set(key, known);
  return known;
}

async function load(library: string | undefined): Promise<SecurityProvider> {
  if (process.platform === 'win32') {
    return (await import('./sspi.ts')).loadSspi(library);
  }
  const { loadGssapi } = await import('./gssapi.ts');
  return loadGssapi(library === undefined ? {} : { library });
}
