// NEGOTIATE, type 1 (MS-NLMP 2.2.1.1). Owns what we offer; it never tells a domain or a host name.
import { NTLM_FLAGS, OFFERED_FLAGS } from './flags.ts';
import { beginNtlmMessage, openNtlmMessage, VERSION } from './ntlm-message.ts';
import { readPayloadField } from './payload-field.ts';

/** Others send 16 bytes (flags only), 32 (without version) or names behind the fixed part. */
const FLAGS_ONLY_BYTES = 16;
const WITHOUT_VERSION_BYTES = 32;
const FULL_BYTES = 40;

export interface NegotiateMessage {
  readonly flags: number;
  /** OEM characters, shown as Latin-1; `''` when not sent. */
  readonly domain: string;
  readonly workstation: string;
  /** 8 bytes, or `null` when there is no room for them. */
  readonly version: Uint8Array | null;
}

/**
 * Writes our NEGOTIATE: always 40 bytes. Keep them: the MIC of AUTHENTICATE covers them.
 *
 * @param offer.sign asks for session keys, for SPNEGO's mechListMIC; raw NTLM over HTTP signs nothing
 */
export function formatNegotiateMessage(offer: { readonly sign: boolean }): Uint8Array {
  const message = beginNtlmMessage('NEGOTIATE', FULL_BYTES);
  message.writeUInt32LE((OFFERED_FLAGS | (offer.sign ? NTLM_FLAGS.SIGN : 0)) >>> 0, 12);
  message.set(VERSION, WITHOUT_VERSION_BYTES);
  return message;
}

/**
 * Reads anyone's NEGOTIATE.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function parseNegotiateMessage(bytes: Uint8Array): NegotiateMessage {
  const message = openNtlmMessage('NEGOTIATE', bytes, FLAGS_ONLY_BYTES);
  const flags = message.readUInt32LE(12);
  if (message.length < WITHOUT_VERSION_BYTES) {
    return { flags, domain: '', workstation: '', version: null };
  }
  const domain = readPayloadField(message, 16, 'domain name');
  const workstation = readPayloadField(message, 24, 'workstation name');
  // cntlm sets the VERSION flag and puts names where the version would be: the place decides, not the flag.
  const payloadAt = Math.min(domain.offset, workstation.offset, message.length);
  return {
    flags,
    domain: Buffer.from(domain.bytes).toString('latin1'),
    workstation: Buffer.from(workstation.bytes).toString('latin1'),
    version:
      payloadAt < FULL_BYTES
        ? null
        : new Uint8Array(message.subarray(WITHOUT_VERSION_BYTES, FULL_BYTES)),
  };
}
