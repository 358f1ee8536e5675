import 'reflect-metadata';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { tlsServerEndPoint } from './tls-server-end-point.ts';

type Algorithm = Parameters<typeof webcrypto.subtle.sign>[0] & { name: string; hash?: string };

const rsa = (hash: string): Algorithm => ({ name: 'RSASSA-PKCS1-v1_5', hash });
const pss = (hash: string, saltLength: number) => ({ name: 'RSA-PSS', hash, saltLength });
const ecdsa = (hash: string): Algorithm => ({ name: 'ECDSA', hash });

const RSA_SHA256_OID = '06092a864886f70d01010b';
const RSA_MD5_OID = '06092a864886f70d010104';
const RSA_SHA224_OID = '06092a864886f70d01010e';
const RSA_SHA3_256_OID = '060960864801650304030e';

let rsaKey: Uint8Array;
let rsaPublic: Uint8Array;
let ecKeys: webcrypto.CryptoKeyPair;

beforeAll(async () => {
  const rsaKeys = await webcrypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: Uint8Array.of(1, 0, 1),
    },
    true,
    ['sign', 'verify'],
  );
  rsaKey = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', rsaKeys.privateKey));
  rsaPublic = new Uint8Array(await webcrypto.subtle.exportKey('spki', rsaKeys.publicKey));
  ecKeys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
}, 30_000);

async function certificate(signingAlgorithm: Algorithm): Promise<Uint8Array> {
  const { subtle } = webcrypto;
  const { name, hash = '' } = signingAlgorithm;
  const keys =
    name === 'ECDSA'
      ? ecKeys
      : {
          privateKey: await subtle.importKey('pkcs8', rsaKey, { name, hash }, true, ['sign']),
          publicKey: await subtle.importKey('spki', rsaPublic, { name, hash }, true, ['verify']),
        };
  return selfSigned(keys, signingAlgorithm);
}

async function selfSigned(
  keys: webcrypto.CryptoKeyPair,
  signingAlgorithm: Algorithm,
): Promise<Uint8Array> {
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    { serialNumber: '01', name: 'CN=proxy.example', keys, signingAlgorithm },
    webcrypto,
  );
  return new Uint8Array(made.rawData);
}

/** The same certificate under another signature algorithm: nobody verifies it here. */
function renamed(der: Uint8Array, to: string): Uint8Array {
  const hex = Buffer.from(der).toString('hex');
  expect(hex.split(RSA_SHA256_OID)).toHaveLength(3);
  return Uint8Array.from(Buffer.from(hex.replaceAll(RSA_SHA256_OID, to), 'hex'));
}

const shown = (bytes: Uint8Array | null) =>
  bytes && [Buffer.from(bytes).toString('latin1', 0, 21), Buffer.from(bytes).toString('hex', 21)];
const bound = (der: Uint8Array, hash: string) => [
  'tls-server-end-point:',
  createHash(hash).update(der).digest('hex'),
];

describe('tlsServerEndPoint()', () => {
  it.each([
    ['RSA with SHA-1', rsa('SHA-1'), 'sha256'],
    ['RSA with SHA-256', rsa('SHA-256'), 'sha256'],
    ['RSA with SHA-384', rsa('SHA-384'), 'sha384'],
    ['RSA with SHA-512', rsa('SHA-512'), 'sha512'],
    ['RSASSA-PSS with SHA-1', pss('SHA-1', 20), 'sha256'],
    ['RSASSA-PSS with SHA-256', pss('SHA-256', 32), 'sha256'],
    ['RSASSA-PSS with SHA-384', pss('SHA-384', 48), 'sha384'],
    ['RSASSA-PSS with SHA-512', pss('SHA-512', 64), 'sha512'],
    ['ECDSA with SHA-1', ecdsa('SHA-1'), 'sha256'],
    ['ECDSA with SHA-256', ecdsa('SHA-256'), 'sha256'],
    ['ECDSA with SHA-384', ecdsa('SHA-384'), 'sha384'],
    ['ECDSA with SHA-512', ecdsa('SHA-512'), 'sha512'],
  ])('hashes a certificate signed by %s as RFC 5929 says', async (_name, algorithm, hash) => {
    const der = await certificate(algorithm);
    expect(shown(tlsServerEndPoint(der))).toEqual(bound(der, hash));
  });

  it.each([
    ['MD5', RSA_MD5_OID, 'sha256'],
    ['SHA-224', RSA_SHA224_OID, 'sha224'],
  ])('hashes a certificate signed by RSA with %s', async (_name, oid, hash) => {
    const der = renamed(await certificate(rsa('SHA-256')), oid);
    expect(shown(tlsServerEndPoint(der))).toEqual(bound(der, hash));
  });

  it('agrees with the fingerprints Node shows', async () => {
    const der = await certificate(rsa('SHA-512'));
    const { fingerprint512 } = new X509Certificate(der);
    const hex = fingerprint512.replaceAll(':', '').toLowerCase();
    expect(shown(tlsServerEndPoint(der))?.[1]).toBe(hex);
  });

  it('binds nothing to Ed25519, whose signature has no hash of its own', async () => {
    const keys = (await webcrypto.subtle.generateKey({ name: 'Ed25519' }, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    expect(tlsServerEndPoint(await selfSigned(keys, { name: 'Ed25519' }))).toBeNull();
  });

  it('binds nothing to an algorithm it does not know', async () => {
    const der = renamed(await certificate(rsa('SHA-256')), RSA_SHA3_256_OID);
    expect(tlsServerEndPoint(der)).toBeNull();
  });

  it.each([
    [
      'parameters that leave the hash out, which then is SHA-1',
      '300d06092a864886f70d01010a3000',
      true,
    ],
    ['no parameters', '300b06092a864886f70d01010a', true],
    [
      'a hash it does not know',
      '301c06092a864886f70d01010a300fa00d300b0609608648016503040208',
      false,
    ],
  ])('takes RSASSA-PSS with %s', (_claim, algorithm, isBound) => {
    // Only the frame of a certificate: an empty body, the algorithm, an empty signature.
    const content = `3000${algorithm}030100`;
    const der = Buffer.from(`30${(content.length / 2).toString(16)}${content}`, 'hex');
    expect(shown(tlsServerEndPoint(der))).toEqual(isBound ? bound(der, 'sha256') : null);
  });

  it.each([
    ['nothing', ''],
    ['no DER', '3082'],
    ['no certificate', '30030101ff'],
  ])('binds nothing to %s', (_claim, hex) => {
    expect(tlsServerEndPoint(Buffer.from(hex, 'hex'))).toBeNull();
  });
});
