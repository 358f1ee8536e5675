// The channel binding a TLS listener expects (RFC 5929 tls-server-end-point), from its own certificate.
import { createHash, X509Certificate } from 'node:crypto';
import { readDer, readDerList } from '../der.ts';

/** Content of signature algorithm OIDs, and the hash RFC 5929 section 4.1 takes for each. */
const HASH_BY_SIGNATURE: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSA
  '2a864886f70d010105': 'sha256', // sha1WithRSA
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', // ecdsaWithSHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/**
 * The value of the NTLM channel binding AV pair: MD5 over a `gss_channel_bindings` structure without
 * addresses (MS-NLMP 3.1.5.1.2).
 *
 * @param certificate PEM of the leaf
 * @returns 16 bytes; `null` for a signature algorithm RFC 5929 gives no hash for
 */
export function expectedChannelBinding(certificate: string): Buffer | null {
  const der = new X509Certificate(certificate).raw;
  const hash = HASH_BY_SIGNATURE[signatureOid(der) ?? ''];
  if (hash === undefined) {
    return null;
  }
  const data = Buffer.concat([
    Buffer.from('tls-server-end-point:', 'latin1'),
    createHash(hash).update(der).digest(),
  ]);
  const header = Buffer.alloc(20);
  header.writeUInt32LE(data.length, 16);
  return createHash('md5').update(header).update(data).digest();
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, ... }, signature }. */
function signatureOid(certificate: Buffer): string | undefined {
  const parts = readDerList(readDer(certificate)?.content ?? Buffer.alloc(0));
  const algorithm = parts?.[1]?.content;
  return algorithm === undefined ? undefined : readDer(algorithm)?.content.toString('hex');
}
