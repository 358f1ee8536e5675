// NTLM messages as an acceptor sees them (MS-NLMP 2.2): reads type 1 and 3, writes type 2. Written apart from
// `src/ntlm`, so that a mistake there is not repeated here. Malformed input gives `null`, never an exception.

/** NegotiateFlags (MS-NLMP 2.2.2.5), as far as an acceptor looks at them. */
export const FLAG = {
  UNICODE: 0x00000001,
  OEM: 0x00000002,
  REQUEST_TARGET: 0x00000004,
  SIGN: 0x00000010,
  SEAL: 0x00000020,
  NTLM: 0x00000200,
  ALWAYS_SIGN: 0x00008000,
  TARGET_TYPE_DOMAIN: 0x00010000,
  EXTENDED_SESSION_SECURITY: 0x00080000,
  TARGET_INFO: 0x00800000,
  VERSION: 0x02000000,
  KEY_128: 0x20000000,
  KEY_EXCH: 0x40000000,
  KEY_56: 0x80000000,
} as const;

/** Ids of AV pairs (MS-NLMP 2.2.2.1). */
export const AV = {
  EOL: 0,
  COMPUTER: 1,
  DOMAIN: 2,
  DNS_COMPUTER: 3,
  DNS_DOMAIN: 4,
  FLAGS: 6,
  TIMESTAMP: 7,
  TARGET_NAME: 9,
  CHANNEL_BINDINGS: 10,
} as const;

export interface AvPair {
  readonly id: number;
  readonly value: Buffer;
}

/** What an AUTHENTICATE message says; strings are decoded by its own UNICODE flag. */
export interface AuthenticateMessage {
  readonly flags: number;
  readonly lmResponse: Buffer;
  readonly ntResponse: Buffer;
  readonly domain: string;
  readonly user: string;
  readonly encryptedSessionKey: Buffer;
  /** Bytes 72 to 87, when the payload leaves room for them. */
  readonly mic: Buffer | null;
}

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');
const CHALLENGE_HEADER_BYTES = 56;
const MAX_AV_PAIRS = 64;
const MIC_OFFSET = 72;
const MIC_END = 88;

/** 1, 2 or 3; `null` for bytes that are no NTLM message. */
export function ntlmMessageType(bytes: Buffer): number | null {
  return bytes.length >= 12 && bytes.subarray(0, 8).equals(SIGNATURE)
    ? bytes.readUInt32LE(8)
    : null;
}

/** The flags a NEGOTIATE message offers; 16 bytes are enough (Davenport). */
export function readNegotiateFlags(bytes: Buffer): number | null {
  return ntlmMessageType(bytes) === 1 && bytes.length >= 16 ? bytes.readUInt32LE(12) : null;
}

/** Writes a CHALLENGE message (MS-NLMP 2.2.1.2), Version slot included. */
export function writeChallenge(challenge: {
  readonly flags: number;
  /** 8 bytes */
  readonly serverChallenge: Buffer;
  readonly targetName: string;
  /** `null` leaves the field empty; `flags` must not announce it then. */
  readonly targetInfo: readonly AvPair[] | null;
}): Buffer {
  const name = Buffer.from(
    challenge.targetName,
    challenge.flags & FLAG.UNICODE ? 'utf16le' : 'latin1',
  );
  const info = challenge.targetInfo ? writeAvPairs(challenge.targetInfo) : Buffer.alloc(0);
  const header = Buffer.alloc(CHALLENGE_HEADER_BYTES);
  SIGNATURE.copy(header);
  header.writeUInt32LE(2, 8);
  writeDescriptor(header, 12, name.length, CHALLENGE_HEADER_BYTES);
  header.writeUInt32LE(challenge.flags >>> 0, 20);
  challenge.serverChallenge.copy(header, 24);
  writeDescriptor(header, 40, info.length, CHALLENGE_HEADER_BYTES + name.length);
  if (challenge.flags & FLAG.VERSION) {
    header.set([10, 0, 0x4a, 0x61, 0, 0, 0, 15], 48);
  }
  return Buffer.concat([header, name, info]);
}

/** The 8 random bytes and the AV pairs of a CHALLENGE message. */
export function readChallenge(
  bytes: Buffer,
): { readonly serverChallenge: Buffer; readonly targetInfo: readonly AvPair[] } | null {
  if (ntlmMessageType(bytes) !== 2 || bytes.length < 32) {
    return null;
  }
  const info = bytes.length >= 48 ? readField(bytes, 40) : Buffer.alloc(0);
  const targetInfo = info === null || info.length === 0 ? [] : readAvPairs(info);
  return targetInfo === null ? null : { serverChallenge: bytes.subarray(24, 32), targetInfo };
}

/** Reads an AUTHENTICATE message (MS-NLMP 2.2.1.3). */
export function readAuthenticate(bytes: Buffer): AuthenticateMessage | null {
  if (ntlmMessageType(bytes) !== 3 || bytes.length < 64) {
    return null;
  }
  const flags = bytes.readUInt32LE(60);
  const fields = [12, 20, 28, 36, 44, 52].map((at) => readField(bytes, at));
  const [lmResponse, ntResponse, domain, user, workstation, encryptedSessionKey] = fields;
  if (!lmResponse || !ntResponse || !domain || !user || !workstation || !encryptedSessionKey) {
    return null;
  }
  const encoding = flags & FLAG.UNICODE ? 'utf16le' : 'latin1';
  return {
    flags,
    lmResponse,
    ntResponse,
    domain: domain.toString(encoding),
    user: user.toString(encoding),
    encryptedSessionKey,
    mic: payloadStart(bytes) >= MIC_END ? bytes.subarray(MIC_OFFSET, MIC_END) : null,
  };
}

/** The message as its own MIC covers it: bytes 72 to 87 zero (MS-NLMP 3.1.5.1.2). */
export function withoutMic(authenticate: Buffer): Buffer {
  return Buffer.from(authenticate).fill(0, MIC_OFFSET, MIC_END);
}

/** Reads AV pairs up to the end-of-list pair, which must be there. */
export function readAvPairs(bytes: Buffer): AvPair[] | null {
  const pairs: AvPair[] = [];
  let at = 0;
  while (at + 4 <= bytes.length && pairs.length < MAX_AV_PAIRS) {
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (id === AV.EOL) {
      return pairs;
    }
    if (end > bytes.length) {
      return null;
    }
    pairs.push({ id, value: bytes.subarray(at + 4, end) });
    at = end;
  }
  return null;
}

/** The value of the first pair of this id. */
export function avValue(pairs: readonly AvPair[], id: number): Buffer | undefined {
  return pairs.find((pair) => pair.id === id)?.value;
}

function writeAvPairs(pairs: readonly AvPair[]): Buffer {
  const parts = [...pairs, { id: AV.EOL, value: Buffer.alloc(0) }].map(({ id, value }) => {
    const header = Buffer.alloc(4);
    header.writeUInt16LE(id, 0);
    header.writeUInt16LE(value.length, 2);
    return Buffer.concat([header, value]);
  });
  return Buffer.concat(parts);
}

function writeDescriptor(message: Buffer, at: number, length: number, offset: number): void {
  message.writeUInt16LE(length, at);
  message.writeUInt16LE(length, at + 2);
  message.writeUInt32LE(offset, at + 4);
}

/** An empty field's offset means nothing (Chromium sends zeros). */
function readField(message: Buffer, at: number): Buffer | null {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (length === 0) {
    return Buffer.alloc(0);
  }
  return offset + length <= message.length ? message.subarray(offset, offset + length) : null;
}

/** Where the payload begins: the smallest offset of a field that is not empty. */
function payloadStart(message: Buffer): number {
  const offsets = [12, 20, 28, 36, 44, 52]
    .filter((at) => message.readUInt16LE(at) > 0)
    .map((at) => message.readUInt32LE(at + 4));
  return Math.min(message.length, ...offsets);
}
