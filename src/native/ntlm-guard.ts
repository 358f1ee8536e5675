// Stands between a server and gss-ntlmssp, which takes the process with it over a challenge that announces a target name
// and has none (1.2, seen). Owns what such a library gets to see: nothing that our own reader of challenges would not take.
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseChallengeMessage } from '../ntlm/challenge-message.ts';

/** REQUEST_TARGET and the three TARGET_TYPE flags (MS-NLMP 2.2.2.5). */
const HAS_TARGET_NAME = 0x0007_0004;

/** Where the descriptors of target name and target information keep their offsets (MS-NLMP 2.2.1.2). */
const OFFSET_FIELDS = [16, 44];
const TARGET_INFO_END = 48;

/**
 * Checks a raw NTLM challenge.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function checkNtlmChallenge(bytes: Uint8Array): void {
  const { raw, flags, targetName } = parseChallengeMessage(bytes);
  const message = Buffer.from(raw);
  const fields = message.length < TARGET_INFO_END ? OFFSET_FIELDS.slice(0, 1) : OFFSET_FIELDS;
  if (fields.some((field) => message.readUInt32LE(field) > message.length)) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      'A field of the NTLM challenge begins behind its end',
    );
  }
  if (targetName === null && (flags & HAS_TARGET_NAME) !== 0) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      'The NTLM challenge announces a target name and has none',
    );
  }
}

/**
 * Checks the acceptor's answer in SPNEGO. The challenge in it is checked as a raw one is.
 *
 * @returns false when it refuses
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export async function checkWrappedChallenge(bytes: Uint8Array): Promise<boolean> {
  const { parseNegTokenResp } = await import('../spnego/neg-token.ts');
  const { negState, responseToken } = parseNegTokenResp(bytes);
  if (responseToken !== undefined) {
    checkNtlmChallenge(responseToken);
  }
  return negState !== 'reject';
}
