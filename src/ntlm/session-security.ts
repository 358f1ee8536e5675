// Signing with extended session security (MS-NLMP 3.4.4.2, 3.4.5.2), as far as SPNEGO's mechListMIC needs it. No sealing,
// no KEY_EXCH, hence no RC4.
import { hmacMd5, md5 } from './md5.ts';

const CLIENT_TO_SERVER = Buffer.from(
  'session key to client-to-server signing key magic constant\0',
  'latin1',
);
const SERVER_TO_CLIENT = Buffer.from(
  'session key to server-to-client signing key magic constant\0',
  'latin1',
);
const CHECKSUM_BYTES = 8;

export interface SigningKeys {
  readonly clientToServer: Uint8Array;
  readonly serverToClient: Uint8Array;
}

/**
 * SIGNKEY of both directions, 16 bytes each.
 *
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export function signingKeys(exportedSessionKey: Uint8Array): SigningKeys {
  return {
    clientToServer: md5(exportedSessionKey, CLIENT_TO_SERVER),
    serverToClient: md5(exportedSessionKey, SERVER_TO_CLIENT),
  };
}

/**
 * The signature over the DER of a mechanism list, without KEY_EXCH: version 1, checksum, sequence number; 16 bytes.
 *
 * @param sequence 0 in each direction for SPNEGO (MS-SPNG 3.3.5.1)
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export function signMechList(key: Uint8Array, sequence: number, list: Uint8Array): Uint8Array {
  const number = Buffer.alloc(4);
  number.writeUInt32LE(sequence);
  const checksum = hmacMd5(key, number, list).subarray(0, CHECKSUM_BYTES);
  return Buffer.concat([Uint8Array.of(1, 0, 0, 0), checksum, number]);
}
