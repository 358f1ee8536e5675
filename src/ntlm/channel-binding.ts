// The value of MsvAvChannelBindings (MS-NLMP 2.2.2.1): owns the hash of the GSS structure of RFC 4121 section 4.1.1.2.
import { md5 } from './md5.ts';

/** Initiator and acceptor address: type 0 and length 0 each. */
const NO_ADDRESSES = new Uint8Array(16);

/**
 * MD5 of gss_channel_bindings_struct without addresses: 16 bytes.
 *
 * @param appData `tls-server-end-point:` and the hash of the certificate (RFC 5929 section 4)
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export function ntlmChannelBinding(appData: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(appData.length);
  return md5(NO_ADDRESSES, length, appData);
}
