// What the three NTLM messages share (MS-NLMP 2.2): signature, type, version. Owns the refusal of everything that is
// no NTLM message of the wanted type.
import { SallyportError } from '../errors/sallyport-error.ts';

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');
const MAX_MESSAGE_BYTES = 64 * 1024;
const MESSAGE_TYPES = { NEGOTIATE: 1, CHALLENGE: 2, AUTHENTICATE: 3 } as const;

export type NtlmMessageName = keyof typeof MESSAGE_TYPES;

/** Windows 10.0.19041, NTLM revision 15 (MS-NLMP 2.2.2.10): for debugging only, but some servers fail without it. */
export const VERSION = Uint8Array.of(0x0a, 0x00, 0x61, 0x4a, 0x00, 0x00, 0x00, 0x0f);

/** Tells whether bytes begin as an NTLM message does, of whatever type: `NTLMSSP` and a NUL. */
export function isNtlmMessage(bytes: Uint8Array): boolean {
  return bytes.length >= 12 && SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length));
}

/** Tells whether a token holds an NTLM message, bare or wrapped in SPNEGO. */
export function carriesNtlm(token: Uint8Array): boolean {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).includes(SIGNATURE);
}

/**
 * Checks size, signature and type, and gives a view for reading.
 *
 * @param minBytes the shortest legal message of this type
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE (over 64 KiB)
 */
export function openNtlmMessage(
  name: NtlmMessageName,
  bytes: Uint8Array,
  minBytes: number,
): Buffer {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new SallyportError(
      'CHALLENGE_TOO_LARGE',
      `The NTLM ${name} message has ${bytes.length} bytes, more than 64 KiB`,
    );
  }
  if (!isNtlmMessage(bytes)) {
    throw new SallyportError('CHALLENGE_INVALID', 'The token does not begin as an NTLM message');
  }
  if (bytes.length < minBytes) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      `The NTLM ${name} message has ${bytes.length} bytes, fewer than ${minBytes}`,
    );
  }
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = message.readUInt32LE(8);
  if (type !== MESSAGE_TYPES[name]) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      `Expected the NTLM ${name} message, got a message of type ${type}`,
    );
  }
  return message;
}

/** A zeroed fixed part with signature and type in place. */
export function beginNtlmMessage(name: NtlmMessageName, headerBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.set(SIGNATURE);
  header.writeUInt32LE(MESSAGE_TYPES[name], SIGNATURE.length);
  return header;
}
