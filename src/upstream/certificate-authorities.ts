// The certificate authorities TLS trusts beyond Node's own. Owns the reading and checking of the file.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import { createSecureContext, rootCertificates } from 'node:tls';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Node's roots, what NODE_EXTRA_CA_CERTS names, and the certificates of a PEM file.
 *
 * @param extra the value of NODE_EXTRA_CA_CERTS: Node leaves it out once other roots are given
 * @throws SallyportError CA_UNREADABLE
 */
export async function trustAlso(file: string, extra: string | undefined): Promise<SecureContext> {
  const added = await readCertificates(file);
  const own = extra === undefined ? [] : await readCertificates(extra).catch(() => []);
  return createSecureContext({ ca: [...rootCertificates, ...own, ...added] });
}

async function readCertificates(file: string): Promise<string[]> {
  const text = await readFile(file, 'latin1').catch((cause) => {
    throw unreadable(`Cannot read ${file} (${errorWord(cause)})`, cause);
  });
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0 || !found.every(isCertificate)) {
    throw unreadable(`${file} holds no certificate that can be read`);
  }
  return found;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function unreadable(detail: string, cause?: unknown): SallyportError {
  return new SallyportError('CA_UNREADABLE', detail, {
    cause,
    hint: 'It must be a PEM file with at least one certificate.',
  });
}
