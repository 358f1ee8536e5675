// The certificate authorities of macOS, as `security` tells them: Apple's roots and the System keychain, which only an
// administrator or a device management writes. The login keychain is left out: mail programs put strangers'
// certificates there, and lying there means no trust.
import { X509Certificate } from 'node:crypto';
import { splitCertificates } from '../pem.ts';
import type { SystemCertificates } from './certificates.ts';
import type { RunCommand } from './run-command.ts';

const SECURITY = '/usr/bin/security';
const KEYCHAINS = [
  '/System/Library/Keychains/SystemRootCertificates.keychain',
  '/Library/Keychains/System.keychain',
];

export async function readMacosCertificates(
  env: NodeJS.ProcessEnv,
  run: RunCommand,
  timeoutMs: number,
): Promise<SystemCertificates> {
  const from = 'the macOS keychains';
  const answer = await run(
    SECURITY,
    ['find-certificate', '-a', '-p', ...KEYCHAINS],
    env,
    timeoutMs,
  );
  return 'problem' in answer
    ? { from, certificates: [], problem: answer.problem }
    : { from, certificates: splitCertificates(answer.output).filter(isAuthority) };
}

/** The System keychain holds certificates of this machine, too. */
function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
