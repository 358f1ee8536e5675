// The certificate authorities the operating system trusts, from whichever system this is: the facade over `system/`, of which
// it loads what this system needs. Owns the choice and the longest wait; making them Node's is `upstream/`'s.
import type { SystemCertificates } from './system/certificates.ts';
import type { RunCommand } from './system/run-command.ts';

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
  const { platform = process.platform, env = process.env, run = runLater } = deps;
  switch (platform) {
    case 'win32':
      return (await import('./system/windows-certificates.ts')).readWindowsCertificates();
    case 'darwin': {
      const { readMacosCertificates } = await import('./system/macos-certificates.ts');
      return await readMacosCertificates(env, run, MAX_WAIT_MS);
    }
    default:
      return await (await import('./system/linux-certificates.ts')).readLinuxCertificates(env);
  }
}

/** The files in which this store can lie, or `null` where it is none of files. */
export async function systemCertificateFiles(
  deps: SystemCertificatesDeps = {},
): Promise<readonly string[] | null> {
  const { platform = process.platform, env = process.env } = deps;
  return platform === 'win32' || platform === 'darwin'
    ? null
    : (await import('./system/linux-certificates.ts')).linuxCertificateFiles(env);
}

/** Loaded where it is needed only. */
const runLater: RunCommand = async (...call) =>
  (await import('./system/run-command.ts')).runCommand(...call);
