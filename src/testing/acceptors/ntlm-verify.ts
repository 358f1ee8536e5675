// The judgement over an NTLM AUTHENTICATE message. Pure: three messages and what is expected of them go in, a
// verdict comes out. Owns the order of the checks.
import { timingSafeEqual } from 'node:crypto';
import type { Account, Accounts } from '../accounts.ts';
import { accountId } from '../accounts.ts';
import type { RefusalReason } from './acceptor.ts';
import { messageIntegrity, ntowfv2, ntProof, sessionBaseKey } from './ntlm-keys.ts';
import type { AuthenticateMessage, AvPair } from './ntlm-messages.ts';
import {
  AV,
  avValue,
  FLAG,
  readAuthenticate,
  readAvPairs,
  readChallenge,
  withoutMic,
} from './ntlm-messages.ts';

/** The messages as they were on the wire. */
export interface NtlmExchange {
  readonly negotiate: Buffer;
  readonly challenge: Buffer;
  readonly authenticate: Buffer;
}

export interface NtlmExpectations {
  readonly accounts: Accounts;
  /**
   * `false` judges name and NTProofStr, and MIC, channel binding and SPN only where they were sent.
   */
  readonly strict: boolean;
  /** Accepted target names, compared without regard to case. */
  readonly spns: readonly string[];
  /** 16 bytes for a TLS listener, `null` for a plain one. */
  readonly channelBinding: Buffer | null;
  /** Zeros in place of the channel binding are then refused on TLS. */
  readonly requireChannelBinding: boolean;
}

export type NtlmVerdict =
  | {
      readonly accepted: true;
      readonly account: Account;
      readonly sessionKey: Buffer;
      readonly flags: number;
      readonly hasMic: boolean;
    }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly user: string | null };

/** The parts of a proven NTLMv2 response that the further checks look at. */
interface Evidence {
  readonly exchange: NtlmExchange;
  readonly message: AuthenticateMessage;
  readonly sessionKey: Buffer;
  readonly time: Buffer;
  readonly sent: readonly AvPair[];
  readonly offered: readonly AvPair[];
}

const PROOF_BYTES = 16;
/** NTProofStr and the fixed part of the NTLMv2 client challenge (MS-NLMP 2.2.2.7). */
const AV_PAIRS_OFFSET = PROOF_BYTES + 28;
const NTLM_V1_BYTES = 24;
const MIC_PRESENT = 2;
const NO_BINDING = Buffer.alloc(16);

/** Judges the last leg of NTLM (MS-NLMP 3.2.5.1.2). */
export function verifyAuthenticate(
  exchange: NtlmExchange,
  expected: NtlmExpectations,
): NtlmVerdict {
  const message = readAuthenticate(exchange.authenticate);
  const challenge = readChallenge(exchange.challenge);
  if (message === null || challenge === null) {
    return { accepted: false, reason: 'malformed', user: null };
  }
  const account = expected.accounts.find(message.user, message.domain);
  const user = account?.id ?? accountId(message.user, message.domain);
  const refuse = (reason: RefusalReason): NtlmVerdict => ({ accepted: false, reason, user });

  if (message.ntResponse.length <= NTLM_V1_BYTES) {
    return refuse('ntlm-v1');
  }
  const sent = readAvPairs(message.ntResponse.subarray(AV_PAIRS_OFFSET));
  if (sent === null) {
    return refuse('malformed');
  }
  if (account === null) {
    return refuse('unknown-user');
  }
  const key = ntowfv2(account.ntHash, message.user, message.domain);
  const temp = message.ntResponse.subarray(PROOF_BYTES);
  const proof = ntProof(key, challenge.serverChallenge, temp);
  if (!equal(proof, message.ntResponse.subarray(0, PROOF_BYTES))) {
    return refuse('wrong-password');
  }
  const sessionKey = sessionBaseKey(key, proof);
  const evidence: Evidence = {
    exchange,
    message,
    sessionKey,
    time: temp.subarray(8, 16),
    sent,
    offered: challenge.targetInfo,
  };
  const failure = firstFailure(evidence, expected);
  return failure === null
    ? { accepted: true, account, sessionKey, flags: message.flags, hasMic: announcesMic(sent) }
    : refuse(failure);
}

function firstFailure(evidence: Evidence, expected: NtlmExpectations): RefusalReason | null {
  const freshness = expected.strict ? checkFreshness(evidence) : null;
  const demands = { ...expected, strict: expected.strict && evidence.offered.length > 0 };
  return (
    freshness ??
    checkMic(evidence, demands) ??
    checkChannelBinding(evidence, demands) ??
    checkSpn(evidence, demands)
  );
}

/** What a client does once the challenge carries a timestamp (MS-NLMP 3.1.5.1.2). */
function checkFreshness({ message, time, sent, offered }: Evidence): RefusalReason | null {
  if (message.flags & FLAG.KEY_EXCH || message.encryptedSessionKey.length > 0) {
    return 'key-exchange';
  }
  const timestamp = avValue(offered, AV.TIMESTAMP);
  if (timestamp === undefined) {
    return null;
  }
  if (!equal(avValue(sent, AV.TIMESTAMP), timestamp) || !equal(time, timestamp)) {
    return 'timestamp';
  }
  return equal(message.lmResponse, Buffer.alloc(24)) ? null : 'lm-response';
}

function checkMic(
  { exchange, message, sessionKey, sent, offered }: Evidence,
  { strict }: NtlmExpectations,
): RefusalReason | null {
  if (!announcesMic(sent)) {
    return strict && avValue(offered, AV.TIMESTAMP) !== undefined ? 'mic-missing' : null;
  }
  if (message.flags & FLAG.KEY_EXCH) {
    // Only a lenient acceptor comes here: the exported key would need RC4, which it does not have.
    return null;
  }
  const wanted = messageIntegrity(sessionKey, [
    exchange.negotiate,
    exchange.challenge,
    withoutMic(exchange.authenticate),
  ]);
  return message.mic !== null && equal(message.mic, wanted) ? null : 'mic';
}

function checkChannelBinding({ sent }: Evidence, expected: NtlmExpectations): RefusalReason | null {
  const binding = avValue(sent, AV.CHANNEL_BINDINGS);
  if (binding === undefined) {
    return expected.strict || expected.requireChannelBinding ? 'channel-binding-missing' : null;
  }
  if (equal(binding, NO_BINDING)) {
    return expected.requireChannelBinding ? 'channel-binding-missing' : null;
  }
  return expected.channelBinding !== null && equal(binding, expected.channelBinding)
    ? null
    : 'channel-binding';
}

function checkSpn({ sent }: Evidence, { strict, spns }: NtlmExpectations): RefusalReason | null {
  const target = avValue(sent, AV.TARGET_NAME)?.toString('utf16le') ?? '';
  if (target === '') {
    return strict ? 'spn' : null;
  }
  return spns.some((spn) => spn.toLowerCase() === target.toLowerCase()) ? null : 'spn';
}

/** MsvAvFlags, bit 2 (MS-NLMP 2.2.2.1). */
function announcesMic(sent: readonly AvPair[]): boolean {
  const flags = avValue(sent, AV.FLAGS);
  return flags?.length === 4 && (flags.readUInt32LE(0) & MIC_PRESENT) !== 0;
}

function equal(found: Buffer | undefined, wanted: Buffer): boolean {
  return found?.length === wanted.length && timingSafeEqual(found, wanted);
}
