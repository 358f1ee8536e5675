// Channel bindings of type tls-server-end-point (RFC 5929 section 4). Owns the choice of the hash from the certificate;
// the hash of hashes that NTLM sends is `ntlm/channel-binding.ts`.

import { createHash } from 'node:crypto';
import type { AsnType } from 'asn1js';
import { ObjectIdentifier } from 'asn1js';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { childrenOf, hasTag, parseDer, TAG_CLASS } from '../spnego/der.ts';

const PREFIX = Buffer.from('tls-server-end-point:', 'latin1');
const RSASSA_PSS = '1.2.840.113549.1.1.10';

/** Signature algorithms that name their hash (RFC 8017 appendix C, RFC 5758). MD5 and SHA-1 become SHA-256 by RFC 5929. */
const SIGNATURE_HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'sha256'],
  ['1.2.840.113549.1.1.5', 'sha256'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.113549.1.1.14', 'sha224'],
  ['1.2.840.10045.4.1', 'sha256'],
  ['1.2.840.10045.4.3.1', 'sha224'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
]);

/** Hashes named in the parameters of RSASSA-PSS (RFC 4055 section 3.1). */
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.5', 'sha256'],
  ['1.3.14.3.2.26', 'sha256'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
]);

/**
 * The application data that binds a sign-on to the TLS connection: `tls-server-end-point:` and the hash of the server's
 * certificate.
 *
 * @param certificateDer the leaf certificate as received
 * @returns `null` where RFC 5929 defines none: Ed25519, Ed448, an algorithm unknown to us, or no certificate
 */
export function tlsServerEndPoint(certificateDer: Uint8Array): Uint8Array | null {
  const hash = hashOfSignature(certificateDer);
  if (hash === undefined) {
    return null;
  }
  return Buffer.concat([PREFIX, createHash(hash).update(certificateDer).digest()]);
}

function hashOfSignature(certificateDer: Uint8Array): string | undefined {
  const [, signatureAlgorithm] = childrenOf(parseCertificate(certificateDer));
  const [algorithm, parameters] = childrenOf(signatureAlgorithm);
  const oid = oidOf(algorithm);
  return oid === RSASSA_PSS ? pssHash(parameters) : SIGNATURE_HASHES.get(oid);
}

/** TLS has judged the certificate already; one we cannot read is not bound to. */
function parseCertificate(der: Uint8Array): AsnType | undefined {
  try {
    return parseDer(der, 'certificate');
  } catch (error) {
    if (isSallyportError(error)) {
      return undefined;
    }
    throw error;
  }
}

/** The hash is field 0 of the parameters; left out, it is SHA-1, for which RFC 5929 takes SHA-256. */
function pssHash(parameters: AsnType | undefined): string | undefined {
  const field = childrenOf(parameters).find((one) => hasTag(one, TAG_CLASS.CONTEXT, 0));
  if (field === undefined) {
    return 'sha256';
  }
  const [algorithmIdentifier] = childrenOf(field);
  return PSS_HASHES.get(oidOf(childrenOf(algorithmIdentifier)[0]));
}

function oidOf(value: AsnType | undefined): string {
  return value instanceof ObjectIdentifier ? value.getValue() : '';
}
