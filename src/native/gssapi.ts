// GSSAPI behind the contract of security contexts: MIT and Heimdal on Linux, GSS.framework on macOS. Owns which packages
// a library serves; one sign-on is `gssapi-context.ts`.
import { GSS_OID, GssCalls } from './gssapi-calls.ts';
import { GssContext } from './gssapi-context.ts';
import type { GssLibrary } from './gssapi-library.ts';
import { openGssLibrary } from './gssapi-library.ts';
import type { ContextRequest, SecurityProvider } from './security-context.ts';

/**
 * Loads the system's GSSAPI.
 *
 * @param options `library` instead of the usual ones, as a path or a name the loader knows
 * @throws SallyportError SIGN_ON_UNAVAILABLE
 */
export function loadGssapi(options: { readonly library?: string } = {}): SecurityProvider {
  const calls = new GssCalls(openGssLibrary(options.library));
  return {
    api: 'GSSAPI',
    description: describe(calls.library),
    packages: packagesOf(calls),
    createContext: (request) => new GssContext(calls, request),
  };
}

function describe({ flavour, name }: GssLibrary): string {
  return flavour === 'Apple'
    ? 'GSSAPI (GSS.framework)'
    : `GSSAPI (${flavour}, ${name.slice(name.lastIndexOf('/') + 1)})`;
}

/** NTLM only by gss-ntlmssp, a plug-in of MIT's: the NTLM of Heimdal and Apple knows no winbind. */
function packagesOf(calls: GssCalls): ContextRequest['package'][] {
  const mechanisms = calls.mechanisms();
  const has = (oid: Buffer) => mechanisms.some((mechanism) => mechanism.equals(oid));
  return [
    ...(has(GSS_OID.KERBEROS) ? (['negotiate', 'kerberos'] as const) : []),
    ...(calls.library.flavour === 'MIT' && has(GSS_OID.NTLMSSP)
      ? (['negotiate-ntlm', 'ntlm'] as const)
      : []),
  ];
}
