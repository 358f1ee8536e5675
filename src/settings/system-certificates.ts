// The certificate authorities the operating system trusts, from whichever system this is: the facade over `system/`. Owns
// the choice and the longest wait; making them Node's is `upstream/`'s.
import type { SystemCertificates } from './system/certificates.ts';
import { readLinuxCertificates } from './system/linux-certificates.ts';
import { readMacosCertificates } from './system/macos-certificates.ts';
import type { RunCommand } from './system/run-command.ts';
import { runCommand } from './system/run-command.ts';
import { readWindowsCertificates } from './system/windows-certificates.ts';

export type { SystemCertificates } from './system/certificates.ts';

export interface SystemCertificatesDeps {
  readonly platform?: NodeJS.Platform;
  readonly env?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
}

const MAX_WAIT_MS = 5000;

/** Never rejects: a store that cannot be read is empty and has a `problem`. */
export async function readSystemCertificates(
  deps: SystemCertificatesDeps = {},
): Promise<SystemCertificates> {
  const { platform = process.platform, env = process.env, run = runCommand } = deps;
  switch (platform) {
    case 'win32':
      return readWindowsCertificates();
    case 'darwin':
      return await readMacosCertificates(env, run, MAX_WAIT_MS);
    default:
      return await readLinuxCertificates(env);
  }
}
