// Stands between a server and gss-ntlmssp, which dies of a challenge whose empty target name begins outside the message
// (1.2, seen). Owns what such a library gets to see: nothing that our own reader of challenges would not take.
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseChallengeMessage } from '../ntlm/challenge-message.ts';
import { parseNegTokenResp } from '../spnego/neg-token.ts';

/** Where the descriptors of target name and target information keep their offsets (MS-NLMP 2.2.1.2). */
const OFFSET_FIELDS = [16, 44];
const TARGET_INFO_END = 48;

/**
 * Checks a raw NTLM challenge.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function checkNtlmChallenge(bytes: Uint8Array): void {
  const { raw } = parseChallengeMessage(bytes);
  const message = Buffer.from(raw);
  const fields = message.length < TARGET_INFO_END ? OFFSET_FIELDS.slice(0, 1) : OFFSET_FIELDS;
  if (fields.some((field) => message.readUInt32LE(field) > message.length)) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      'A field of the NTLM challenge begins behind its end',
    );
  }
}

/**
 * Checks the acceptor's answer in SPNEGO. The challenge in it is checked as a raw one is.
 *
 * @returns false when it refuses
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function checkWrappedChallenge(bytes: Uint8Array): boolean {
  const { negState, responseToken } = parseNegTokenResp(bytes);
  if (responseToken !== undefined) {
    checkNtlmChallenge(responseToken);
  }
  return negState !== 'reject';
}
