// NTLMv2_RESPONSE with its NTLMv2_CLIENT_CHALLENGE, which MS-NLMP 3.3.2 calls `temp` (2.2.2.7, 2.2.2.8). Owns the layout.
import type { AvPair } from './av-pairs.ts';
import { formatAvPairs, parseAvPairs } from './av-pairs.ts';

const PROOF_BYTES = 16;
const RESPONSE_VERSION = 0x0101;
const TIME_AT = 8;
const CLIENT_CHALLENGE_AT = 16;
const AV_PAIRS_AT = 28;
const TRAILER_BYTES = 4;

export interface ClientChallenge {
  /** FILETIME, 8 bytes little-endian. */
  readonly time: Uint8Array;
  /** 8 random bytes. */
  readonly clientChallenge: Uint8Array;
  readonly avPairs: readonly AvPair[];
}

export interface Ntlmv2Response extends ClientChallenge {
  /** NTProofStr, 16 bytes. */
  readonly proof: Uint8Array;
  /** What the proof covers besides the server challenge, as sent. */
  readonly temp: Uint8Array;
}

/** Writes `temp`. */
export function formatClientChallenge(blob: ClientChallenge): Uint8Array {
  const header = Buffer.alloc(AV_PAIRS_AT);
  header.writeUInt16LE(RESPONSE_VERSION, 0);
  header.set(blob.time, TIME_AT);
  header.set(blob.clientChallenge, CLIENT_CHALLENGE_AT);
  return Buffer.concat([header, formatAvPairs(blob.avPairs), Buffer.alloc(TRAILER_BYTES)]);
}

/**
 * Reads an NtChallengeResponse; `null` when it is no NTLMv2 response (NTLMv1 has 24 bytes).
 *
 * @throws SallyportError CHALLENGE_INVALID for a malformed AV list
 */
export function parseNtlmv2Response(bytes: Uint8Array): Ntlmv2Response | null {
  const temp = new Uint8Array(bytes.subarray(PROOF_BYTES));
  if (temp.length < AV_PAIRS_AT || temp[0] !== 1 || temp[1] !== 1) {
    return null;
  }
  return {
    proof: new Uint8Array(bytes.subarray(0, PROOF_BYTES)),
    temp,
    time: temp.slice(TIME_AT, TIME_AT + 8),
    clientChallenge: temp.slice(CLIENT_CHALLENGE_AT, CLIENT_CHALLENGE_AT + 8),
    avPairs: parseAvPairs(temp.subarray(AV_PAIRS_AT)),
  };
}
