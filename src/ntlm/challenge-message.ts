// CHALLENGE, type 2 (MS-NLMP 2.2.1.2). Owns its layout and what of it is believed; a missing target information or
// weak flags are no reason to refuse, nor to answer with less than NTLMv2.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { AvPair } from './av-pairs.ts';
import { AV_ID, findAvValue, formatAvPairs, parseAvPairs } from './av-pairs.ts';
import { hasFlags, NTLM_FLAGS } from './flags.ts';
import { beginNtlmMessage, openNtlmMessage, VERSION } from './ntlm-message.ts';
import { joinPayload, readPayloadField } from './payload-field.ts';
import { decodeName, encodeName } from './text.ts';

/** Old servers end behind the server challenge. */
const MIN_BYTES = 32;
const WITH_TARGET_INFO_BYTES = 48;
const HEADER_BYTES = 56;
const SERVER_CHALLENGE_BYTES = 8;

export interface ChallengeMessage {
  /** As sent, but OEM cleared where UNICODE is set as well. */
  readonly flags: number;
  /** 8 bytes. */
  readonly serverChallenge: Uint8Array;
  /** For people only: never part of an SPN. `null` when empty or not readable. */
  readonly targetName: string | null;
  /** `null` when the server did not set TARGET_INFO. */
  readonly targetInfo: readonly AvPair[] | null;
  /** FILETIME as in the AV pair, 8 bytes; its presence demands a MIC. */
  readonly timestamp: Uint8Array | null;
  /** A copy of the message as received: the MIC covers it. */
  readonly raw: Uint8Array;
}

/**
 * Reads a CHALLENGE.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE (over 64 KiB)
 */
export function parseChallengeMessage(bytes: Uint8Array): ChallengeMessage {
  const message = openNtlmMessage('CHALLENGE', bytes, MIN_BYTES);
  const flags = withOneCharacterSet(message.readUInt32LE(20));
  const targetName = readPayloadField(message, 12, 'target name').bytes;
  const targetInfo = readTargetInfo(message, flags);
  return {
    flags,
    serverChallenge: new Uint8Array(message.subarray(24, 24 + SERVER_CHALLENGE_BYTES)),
    targetName: targetName.length === 0 ? null : decodeName(targetName, flags),
    targetInfo,
    timestamp: (targetInfo && findAvValue(targetInfo, AV_ID.TIMESTAMP)) ?? null,
    raw: new Uint8Array(bytes),
  };
}

/**
 * Writes a CHALLENGE as Windows lays it out: 56 bytes, target name, target information. TARGET_INFO is set or
 * cleared to match.
 *
 * @throws SallyportError CHALLENGE_TOO_LARGE when a field does not fit 16 bits, CREDENTIALS_INVALID for a name beyond
 *   ASCII without UNICODE
 */
export function formatChallengeMessage(
  challenge: Pick<ChallengeMessage, 'flags' | 'serverChallenge' | 'targetName' | 'targetInfo'>,
): Uint8Array {
  const { serverChallenge, targetName, targetInfo } = challenge;
  const flags =
    (challenge.flags & ~NTLM_FLAGS.TARGET_INFO) |
    (targetInfo === null ? 0 : NTLM_FLAGS.TARGET_INFO);
  const header = beginNtlmMessage('CHALLENGE', HEADER_BYTES);
  header.writeUInt32LE(flags >>> 0, 20);
  header.set(serverChallenge, 24);
  if (hasFlags(flags, NTLM_FLAGS.VERSION)) {
    header.set(VERSION, WITH_TARGET_INFO_BYTES);
  }
  return joinPayload(header, [
    [12, encodeName(targetName ?? '', flags, 'target name')],
    [40, targetInfo === null ? new Uint8Array() : formatAvPairs(targetInfo)],
  ]);
}

/** Both set is seen in the wild, and in the example of MS-NLMP 4.2.4.3: Unicode it is. */
function withOneCharacterSet(flags: number): number {
  if (hasFlags(flags, NTLM_FLAGS.UNICODE)) {
    return (flags & ~NTLM_FLAGS.OEM) >>> 0;
  }
  if (!hasFlags(flags, NTLM_FLAGS.OEM)) {
    throw new SallyportError('CHALLENGE_INVALID', 'The NTLM CHALLENGE selects no character set');
  }
  return flags;
}

function readTargetInfo(message: Buffer, flags: number): AvPair[] | null {
  if (!hasFlags(flags, NTLM_FLAGS.TARGET_INFO)) {
    return null;
  }
  if (message.length < WITH_TARGET_INFO_BYTES) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      'The NTLM CHALLENGE ends before the target information it announces',
    );
  }
  return parseAvPairs(readPayloadField(message, 40, 'target information').bytes);
}
