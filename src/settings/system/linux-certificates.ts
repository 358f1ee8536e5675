// The bundle of certificate authorities Linux distributions and the BSDs keep, one PEM file. Owns where it lies.
import { isAbsolute } from 'node:path';
import { errorWord } from '../../errors/error-word.ts';
import { MAX_PEM_BYTES, splitCertificates } from '../pem.ts';
import { readBounded } from '../read-bounded.ts';
import type { SystemCertificates } from './certificates.ts';

/** The first that is there counts. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Arch, Gentoo
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // SUSE
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem', // Alpine, FreeBSD, OpenBSD
];

/** As OpenSSL's own programs, with SSL_CERT_FILE instead of the usual places; a relative one is ignored. */
export function linuxCertificateFiles(env: NodeJS.ProcessEnv): readonly string[] {
  const named = env['SSL_CERT_FILE'] ?? '';
  return isAbsolute(named) ? [named] : BUNDLES;
}

/** From the first of these files that holds any. */
export async function readLinuxCertificates(env: NodeJS.ProcessEnv): Promise<SystemCertificates> {
  const named = env['SSL_CERT_FILE'] ?? '';
  if (isAbsolute(named)) {
    return await readBundle(named);
  }
  for (const file of BUNDLES) {
    const found = await readBundle(file);
    if (found.certificates.length > 0) {
      return found;
    }
  }
  return { from: BUNDLES[0] ?? '', certificates: [], problem: 'there is no bundle' };
}

async function readBundle(file: string): Promise<SystemCertificates> {
  try {
    const bytes = await readBounded(file, MAX_PEM_BYTES);
    return bytes === null
      ? { from: file, certificates: [], problem: 'it has more than 16 MiB' }
      : { from: file, certificates: splitCertificates(bytes.toString('latin1')) };
  } catch (error) {
    return { from: file, certificates: [], problem: `it cannot be read (${errorWord(error)})` };
  }
}
