// AUTHENTICATE, type 3 (MS-NLMP 2.2.1.3): its layout, and ours made from a password. Owns the refusal to send anything but
// NTLMv2, and anything anonymous.
import { SallyportError } from '../errors/sallyport-error.ts';
import { announcesMic, answerTargetInfo } from './answer-target-info.ts';
import type { ChallengeMessage } from './challenge-message.ts';
import { parseChallengeMessage } from './challenge-message.ts';
import { NTLM_FLAGS, OFFERED_FLAGS } from './flags.ts';
import { parseNegotiateMessage } from './negotiate-message.ts';
import { beginNtlmMessage, openNtlmMessage, VERSION } from './ntlm-message.ts';
import {
  lmv2Response,
  messageIntegrityCode,
  ntHash,
  ntowfv2,
  ntProof,
  sessionBaseKey,
} from './ntlmv2.ts';
import { formatClientChallenge, parseNtlmv2Response } from './ntlmv2-response.ts';
import type { PayloadField } from './payload-field.ts';
import { joinPayload, readPayloadField } from './payload-field.ts';
import { decodeName, encodeName } from './text.ts';

const FLAGS_AT = 60;
const VERSION_AT = 64;
const MIC_AT = 72;
const HEADER_BYTES = 88;
const LM_RESPONSE_BYTES = 24;
const CLIENT_CHALLENGE_BYTES = 8;
/** Longest names and password in UTF-16 code units, as Chromium and Windows have them. */
const MAX_UNITS = { user: 104, domain: 255, workstation: 255, password: 256 } as const;

export interface AuthenticateMessage {
  readonly flags: number;
  readonly domain: string;
  readonly user: string;
  readonly workstation: string;
  readonly lmResponse: Uint8Array;
  readonly ntResponse: Uint8Array;
  /** EncryptedRandomSessionKey; empty without KEY_EXCH. */
  readonly sessionKey: Uint8Array;
  /** 16 bytes, or `null` when the message has none. */
  readonly mic: Uint8Array | null;
}

/** What makes the answer to a challenge. `negotiate` and `challenge` as they went over the wire: the MIC covers them. */
export interface AuthenticateInput {
  readonly negotiate: Uint8Array;
  readonly challenge: Uint8Array;
  readonly user: string;
  /** `''` with a UPN (`user@realm`), which is never split. */
  readonly domain: string;
  /** `''` unless told: a host name is nobody's business. */
  readonly workstation: string;
  readonly password: string;
  /** `HTTP/host`, from the configured name, never from a response. */
  readonly spn: string;
  /** 16 bytes of `ntlmChannelBinding()`, or `null` without TLS. */
  readonly channelBinding: Uint8Array | null;
  readonly deps: {
    /** FILETIME: 100 ns since 1601-01-01 UTC. */
    now(): bigint;
    randomBytes(length: number): Uint8Array;
  };
}

/**
 * Answers a challenge with NTLMv2 (MS-NLMP 3.1.5.1.2, 3.3.2). The server's clock is used where it told it, and a
 * MIC sent then.
 *
 * @returns the message, the key that signs in this session, and the flags agreed on
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE, CREDENTIALS_INVALID (empty user, too long, or beyond ASCII
 *   for an OEM server), CRYPTO_UNAVAILABLE
 */
export async function createAuthenticateMessage(
  input: AuthenticateInput,
): Promise<{ message: Uint8Array; exportedSessionKey: Uint8Array; flags: number }> {
  checkIdentity(input);
  const challenge = parseChallengeMessage(input.challenge);
  const flags = agreedFlags(parseNegotiateMessage(input.negotiate).flags, challenge.flags);
  const responseKey = await responseKeyNt(input);
  try {
    const { proof, ...responses } = respond(responseKey, challenge, input);
    const { user, domain, workstation } = input;
    const message = formatAuthenticateMessage({ flags, domain, user, workstation, ...responses });
    const exportedSessionKey = sessionBaseKey(responseKey, proof);
    if (challenge.timestamp !== null) {
      const { negotiate } = input;
      const mic = messageIntegrityCode(exportedSessionKey, negotiate, challenge.raw, message);
      message.set(mic, MIC_AT);
    }
    return { message, exportedSessionKey, flags };
  } finally {
    responseKey.fill(0);
  }
}

/**
 * Writes the message in the order Windows has: domain, user, workstation, LM, NT, session key. Without `mic`
 * its place is zero.
 *
 * @throws SallyportError CREDENTIALS_INVALID for names beyond ASCII without UNICODE, CHALLENGE_TOO_LARGE for a field
 *   over 65,535 bytes
 */
export function formatAuthenticateMessage(
  fields: Omit<AuthenticateMessage, 'mic' | 'sessionKey'> & Partial<AuthenticateMessage>,
): Uint8Array {
  const { flags } = fields;
  const header = beginNtlmMessage('AUTHENTICATE', HEADER_BYTES);
  header.writeUInt32LE(flags, FLAGS_AT);
  header.set(VERSION, VERSION_AT);
  header.set(fields.mic ?? new Uint8Array(), MIC_AT);
  return joinPayload(header, [
    [28, encodeName(fields.domain, flags, 'domain')],
    [36, encodeName(fields.user, flags, 'user name')],
    [44, encodeName(fields.workstation, flags, 'workstation name')],
    [12, fields.lmResponse],
    [20, fields.ntResponse],
    [52, fields.sessionKey ?? new Uint8Array()],
  ]);
}

/**
 * Reads anyone's AUTHENTICATE, for inspection: NTLMv1 and anonymous ones too. It verifies nothing.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function parseAuthenticateMessage(bytes: Uint8Array): AuthenticateMessage {
  const message = openNtlmMessage('AUTHENTICATE', bytes, VERSION_AT);
  const flags = message.readUInt32LE(FLAGS_AT);
  const lm = readPayloadField(message, 12, 'LM response');
  const nt = readPayloadField(message, 20, 'NT response');
  const domain = readPayloadField(message, 28, 'domain');
  const user = readPayloadField(message, 36, 'user name');
  const workstation = readPayloadField(message, 44, 'workstation name');
  const sessionKey = readPayloadField(message, 52, 'session key');
  const fields = [lm, nt, domain, user, workstation, sessionKey];
  return {
    flags,
    domain: readName(domain, flags, 'domain'),
    user: readName(user, flags, 'user name'),
    workstation: readName(workstation, flags, 'workstation name'),
    lmResponse: lm.bytes,
    ntResponse: nt.bytes,
    sessionKey: sessionKey.bytes,
    mic: readMic(message, fields, nt.bytes),
  };
}

function checkIdentity(input: AuthenticateInput): void {
  if (input.user === '') {
    throw new SallyportError(
      'CREDENTIALS_INVALID',
      'The user name is empty, and an anonymous NTLM sign-on is never sent',
    );
  }
  for (const [field, max] of Object.entries(MAX_UNITS)) {
    if (input[field as keyof typeof MAX_UNITS].length > max) {
      throw new SallyportError(
        'CREDENTIALS_INVALID',
        `The ${field} is longer than the ${max} characters NTLM allows`,
      );
    }
  }
}

/** What both want and we can do; TARGET_INFO is the server's to set. */
function agreedFlags(offered: number, chosen: number): number {
  const ours = offered & (OFFERED_FLAGS | NTLM_FLAGS.SIGN);
  return (chosen & (ours | NTLM_FLAGS.TARGET_INFO)) >>> 0;
}

async function responseKeyNt(input: AuthenticateInput): Promise<Uint8Array> {
  const hash = await ntHash(input.password);
  try {
    return ntowfv2(hash, input.user, input.domain);
  } finally {
    hash.fill(0);
  }
}

function respond(responseKey: Uint8Array, challenge: ChallengeMessage, input: AuthenticateInput) {
  const { timestamp, serverChallenge } = challenge;
  const clientChallenge = input.deps.randomBytes(CLIENT_CHALLENGE_BYTES);
  const temp = formatClientChallenge({
    time: timestamp ?? fileTimeBytes(input.deps.now()),
    clientChallenge,
    avPairs: answerTargetInfo(challenge, input),
  });
  const proof = ntProof(responseKey, serverChallenge, temp);
  return {
    proof,
    ntResponse: Buffer.concat([proof, temp]),
    lmResponse:
      timestamp === null
        ? lmv2Response(responseKey, serverChallenge, clientChallenge)
        : new Uint8Array(LM_RESPONSE_BYTES),
  };
}

function fileTimeBytes(fileTime: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(fileTime);
  return bytes;
}

function readName(field: PayloadField, flags: number, name: string): string {
  const text = decodeName(field.bytes, flags);
  if (text === null) {
    throw new SallyportError('CHALLENGE_INVALID', `The ${name} has half a character at its end`);
  }
  return text;
}

/** There is one when there is room for it before the payload, and the NTLMv2 response announces it. */
function readMic(
  message: Buffer,
  fields: readonly PayloadField[],
  ntResponse: Uint8Array,
): Uint8Array | null {
  const payloadAt = Math.min(message.length, ...fields.map(({ offset }) => offset));
  const response = parseNtlmv2Response(ntResponse);
  if (payloadAt < HEADER_BYTES || response === null || !announcesMic(response.avPairs)) {
    return null;
  }
  return new Uint8Array(message.subarray(MIC_AT, HEADER_BYTES));
}
