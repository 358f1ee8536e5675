// SSPI behind the contract of security contexts: Windows' secur32.dll, and whatever library has the same functions. Owns
// which packages it serves; one sign-on is `sspi-context.ts`.

import { SallyportError } from '../errors/sallyport-error.ts';
import { openLibrary } from './ffi.ts';
import type { ContextRequest, SecurityProvider } from './security-context.ts';
import type { SspiPackage } from './sspi-context.ts';
import { SspiContext } from './sspi-context.ts';
import { SspiLibrary } from './sspi-library.ts';

/** Raw NTLMSSP messages are what Windows itself sends under Negotiate where there is nothing but NTLM. */
const PACKAGE_NAMES: Readonly<Record<ContextRequest['package'], SspiPackage['name']>> = {
  negotiate: 'Negotiate',
  kerberos: 'Kerberos',
  'negotiate-ntlm': 'NTLM',
  ntlm: 'NTLM',
};

/**
 * Loads SSPI.
 *
 * @param name of the library: tests on Linux load FreeRDP's WinPR
 * @throws SallyportError SIGN_ON_UNAVAILABLE
 */
export function loadSspi(name = 'secur32.dll'): SecurityProvider {
  const library = new SspiLibrary(openLibrary([name]));
  const packages = findPackages(library);
  const wanted = Object.entries(PACKAGE_NAMES) as [
    ContextRequest['package'],
    SspiPackage['name'],
  ][];
  return {
    api: 'SSPI',
    description: `SSPI (${name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)})`,
    packages: wanted.filter(([, packageName]) => packages.has(packageName)).map(([key]) => key),
    createContext: (request) => {
      const found = packages.get(PACKAGE_NAMES[request.package]);
      if (found === undefined) {
        throw new SallyportError(
          'SIGN_ON_UNAVAILABLE',
          `${library.name} has no package ${PACKAGE_NAMES[request.package]}`,
        );
      }
      return new SspiContext(found, request);
    },
  };
}

function findPackages(library: SspiLibrary): Map<string, SspiPackage> {
  const readsPackageList = isWindows();
  const found = new Map<string, SspiPackage>();
  for (const name of ['Negotiate', 'Kerberos', 'NTLM'] as const) {
    const maxToken = library.maxTokenOf(name);
    if (maxToken !== null) {
      found.set(name, { library, name, maxToken, readsPackageList, takesEarlyBindings: true });
    }
  }
  return found;
}

/** Wine and WinPR read SEC_WINNT_AUTH_IDENTITY_EXW as the older structure, that is, at wrong addresses. */
function isWindows(): boolean {
  return (
    process.platform === 'win32' &&
    openLibrary(['ntdll.dll']).find('wine_get_version', 'pointer', []) === undefined
  );
}
