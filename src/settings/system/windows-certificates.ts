// The certificate authorities of Windows as PEM. Owns what of the CA stores counts; reading is `native/`'s.
import { X509Certificate } from 'node:crypto';
import { errorWord } from '../../errors/error-word.ts';
import { isSallyportError } from '../../errors/sallyport-error.ts';
import type { StoreCertificates } from '../../native/certificate-store.ts';
import { readCertificateStores } from '../../native/certificate-store.ts';
import type { SystemCertificates } from './certificates.ts';

const FROM = 'the Windows certificate stores';

export function readWindowsCertificates(
  read: () => StoreCertificates = readCertificateStores,
): SystemCertificates {
  try {
    const { roots, intermediates } = read();
    const trusted = [...roots, ...intermediates.filter(isSignedByAnother)];
    return { from: FROM, certificates: trusted.map(toPem) };
  } catch (error) {
    const problem = isSallyportError(error) ? error.message : errorWord(error);
    return { from: FROM, certificates: [], problem };
  }
}

/** OpenSSL takes whatever signs itself for a root; in a CA store it is none. */
function isSignedByAnother(der: Buffer): boolean {
  try {
    const { subject, issuer } = new X509Certificate(der);
    return subject !== issuer;
  } catch {
    return false;
  }
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n');
}
