// Credentials for an SSPI sign-on: of the signed-in user, or from a name and a password. Owns the memory a password
// lies in, which is wiped as soon as the library has its copy.

import { NativeMemory } from './ffi.ts';
import type { ContextRequest } from './security-context.ts';
import type { SspiLibrary, SspiStatus } from './sspi-library.ts';
import type { Text } from './sspi-structures.ts';
import { packIdentity } from './sspi-structures.ts';

/** Keeps Negotiate from NTLM (MSDN, SEC_WINNT_AUTH_IDENTITY_EX, PackageList). */
const WITHOUT_NTLM = '!ntlm';
const NO_TEXT: Text = { address: 0n, length: 0 };

/**
 * Acquires credentials into `credential`.
 *
 * @param readsPackageList whether the library knows SEC_WINNT_AUTH_IDENTITY_EXW
 */
export async function acquireSspiCredentials(
  library: SspiLibrary,
  packageName: string,
  request: Pick<ContextRequest, 'credentials' | 'allowNtlm'>,
  readsPackageList: boolean,
  credential: NativeMemory,
): Promise<SspiStatus> {
  const texts: NativeMemory[] = [];
  const place = (text: string): Text => {
    if (text === '') {
      return NO_TEXT;
    }
    const memory = NativeMemory.utf16(text);
    texts.push(memory);
    return { address: memory.address, length: text.length };
  };
  const restricts = readsPackageList && !request.allowNtlm && packageName === 'Negotiate';
  let identity: NativeMemory | null = null;
  try {
    if (request.credentials !== null || restricts) {
      const { user = '', domain = '', password = '' } = request.credentials ?? {};
      const who = { user: place(user), domain: place(domain), password: place(password) };
      identity = NativeMemory.of(packIdentity(who, restricts ? place(WITHOUT_NTLM) : null));
    }
    return await library.acquireCredentials(packageName, identity?.address ?? 0n, credential);
  } finally {
    identity?.free();
    for (const text of texts) {
      text.free();
    }
  }
}
