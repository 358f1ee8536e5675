// The channel binding a TLS listener expects (RFC 5929 tls-server-end-point), from its own certificate.
import { createHash, X509Certificate } from 'node:crypto';
import type { DerElement } from '../der.ts';
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

const RSASSA_PSS = '2a864886f70d01010a';
/** Content of hash OIDs in the parameters of RSASSA-PSS (RFC 4055 section 3.1); absent means SHA-1. */
const HASH_BY_PSS_PARAMETER: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha256', // SHA-1
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040204': 'sha224',
};
const SHA1 = '2b0e03021a';

/**
 * The value of the NTLM channel binding AV pair: MD5 over a `gss_channel_bindings` structure without
 * addresses (MS-NLMP 3.1.5.1.2).
 *
 * @param certificate PEM of the leaf
 * @returns 16 bytes; `null` for a signature algorithm RFC 5929 gives no hash for
 */
export function expectedChannelBinding(certificate: string): Buffer | null {
  const der = new X509Certificate(certificate).raw;
  const hash = bindingHash(der);
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

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, parameters }, signature }. */
function bindingHash(certificate: Buffer): string | undefined {
  const [, algorithm] = childrenOf(readDer(certificate));
  const [oid, parameters] = childrenOf(algorithm);
  const name = oid?.content.toString('hex') ?? '';
  if (name !== RSASSA_PSS) {
    return HASH_BY_SIGNATURE[name];
  }
  const explicit = childrenOf(parameters).find(({ tag }) => tag === 0xa0);
  const [hashOid] = childrenOf(explicit === undefined ? null : readDer(explicit.content));
  return HASH_BY_PSS_PARAMETER[hashOid?.content.toString('hex') ?? SHA1];
}

function childrenOf(element: DerElement | null | undefined): readonly DerElement[] {
  return element ? (readDerList(element.content) ?? []) : [];
}
