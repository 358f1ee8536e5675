// MD5 and HMAC-MD5 from node:crypto. Owns the plain word for a Node build that forbids them (FIPS mode).
import { createHash, createHmac } from 'node:crypto';
import { SallyportError } from '../errors/sallyport-error.ts';

/**
 * MD5 over the parts joined (RFC 1321): 16 bytes.
 *
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export function md5(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('MD5', () => createHash('md5'), parts);
}

/**
 * HMAC-MD5 over the parts joined (RFC 2104): 16 bytes.
 *
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export function hmacMd5(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return digest('HMAC-MD5', () => createHmac('md5', key), parts);
}

interface Hashing {
  update(data: Uint8Array): unknown;
  digest(): Buffer;
}

function digest(name: string, begin: () => Hashing, parts: readonly Uint8Array[]): Uint8Array {
  try {
    const hashing = begin();
    for (const part of parts) {
      hashing.update(part);
    }
    return new Uint8Array(hashing.digest());
  } catch (cause) {
    throw forbidden(name, cause);
  }
}

function forbidden(name: string, cause: unknown): SallyportError {
  return new SallyportError('CRYPTO_UNAVAILABLE', `${name} is not available in this Node`, {
    hint: 'NTLM cannot be made in FIPS mode: use Kerberos, or a Node without FIPS mode',
    cause,
  });
}
