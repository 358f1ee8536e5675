// A throw-away certificate for loopback listeners, made at run time so that no private key is ever published.
// Owns the X.509 layout (RFC 5280 section 4.1); not for anything but tests.
import type { KeyObject } from 'node:crypto';
import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  createSign,
  randomBytes,
} from 'node:crypto';
import { writeDer, writeOid } from './der.ts';

/** PEM texts. The certificate signs itself: it is its own authority. */
export interface TestCertificates {
  /** For the `ca` option of the client. */
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** The hash of the signature decides the hash of the channel binding (RFC 5929 section 4.1). */
export type SignatureHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const ECDSA_WITH: Readonly<Record<SignatureHash, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};
const DAY_MS = 86_400_000;
const TRUE = Buffer.from([0xff]);

/**
 * Makes a self-signed P-256 certificate for `localhost`, `127.0.0.1` and `::1`, valid for one day.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import tls from 'node:tls';
 * import { createCorporateProxy, createTestCertificates } from 'sallyport/testing';
 *
 * const { ca, key, cert } = createTestCertificates();
 * await using proxy = await createCorporateProxy({ schemes: [], tls: { key, cert } });
 * const socket = tls.connect({ host: proxy.host, port: proxy.port, ca });
 * await once(socket, 'secureConnect');
 * socket.destroy();
 * ```
 */
export function createTestCertificates(
  options: { readonly signatureHash?: SignatureHash } = {},
): TestCertificates {
  const hash = options.signatureHash ?? 'sha256';
  const privateKey = generateKey();
  const algorithm = sequence(writeOid(ECDSA_WITH[hash]));
  const toBeSigned = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(positive(randomBytes(16))),
    algorithm,
    distinguishedName(),
    sequence(utcTime(Date.now() - DAY_MS / 24), utcTime(Date.now() + DAY_MS)),
    distinguishedName(),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions())),
  );
  const signature = createSign(hash).update(toBeSigned).sign(privateKey);
  const cert = pem(sequence(toBeSigned, algorithm, bitString(signature)));
  return {
    ca: cert,
    cert,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** By way of ECDH: Vitest's leak detection takes `generateKeyPairSync` for a job that never ends. */
function generateKey(): KeyObject {
  const pair = createECDH('prime256v1');
  const point = pair.generateKeys();
  const base64url = (number: Buffer) =>
    Buffer.concat([Buffer.alloc(32 - number.length), number]).toString('base64url');
  const key = {
    kty: 'EC',
    crv: 'P-256',
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
    d: base64url(pair.getPrivateKey()),
  };
  return createPrivateKey({ key, format: 'jwk' });
}

/** Subject and issuer: one common name. */
function distinguishedName(): Buffer {
  const name = writeDer(0x0c, Buffer.from('Sallyport test, loopback only', 'utf8'));
  return sequence(writeDer(0x31, sequence(writeOid('2.5.4.3'), name)));
}

function extensions(): Buffer[] {
  const dnsName = writeDer(0x82, Buffer.from('localhost', 'latin1'));
  const ipv4 = writeDer(0x87, Buffer.from([127, 0, 0, 1]));
  const ipv6 = writeDer(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]));
  const isAuthority = sequence(writeDer(0x01, TRUE));
  return [
    sequence(writeOid('2.5.29.17'), octets(sequence(dnsName, ipv4, ipv6))),
    sequence(writeOid('2.5.29.19'), writeDer(0x01, TRUE), octets(isAuthority)),
  ];
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return writeDer(0x30, ...parts);
}

function context(number: number, content: Buffer): Buffer {
  return writeDer(0xa0 + number, content);
}

function integer(bytes: Buffer): Buffer {
  return writeDer(0x02, bytes);
}

function octets(content: Buffer): Buffer {
  return writeDer(0x04, content);
}

function bitString(content: Buffer): Buffer {
  return writeDer(0x03, Buffer.from([0]), content);
}

/** Neither negative nor with a needless leading zero. */
function positive(bytes: Buffer): Buffer {
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes;
}

/** `YYMMDDHHMMSSZ`, right until 2049. */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+Z$|[-:T]/g, '');
  return writeDer(0x17, Buffer.from(`${digits.slice(2)}Z`, 'latin1'));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`;
}
