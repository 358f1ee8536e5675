// AV pairs (MS-NLMP 2.2.2.1), the list inside TargetInfo and the NTLMv2 response. Owns its syntax; what we answer
// with is `answer-target-info.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';

/** `MsvAv...` identifiers. */
export const AV_ID = {
  EOL: 0,
  NB_COMPUTER_NAME: 1,
  NB_DOMAIN_NAME: 2,
  DNS_COMPUTER_NAME: 3,
  DNS_DOMAIN_NAME: 4,
  DNS_TREE_NAME: 5,
  FLAGS: 6,
  TIMESTAMP: 7,
  SINGLE_HOST: 8,
  TARGET_NAME: 9,
  CHANNEL_BINDINGS: 10,
} as const;

/** One pair. Names are UTF-16LE whatever the message's character set. */
export interface AvPair {
  readonly id: number;
  readonly value: Uint8Array;
}

const HEADER_BYTES = 4;
/** MS-NLMP knows ten; 64 KiB would hold 16,000 empty ones. */
const MAX_AV_PAIRS = 64;
const FIXED_LENGTHS = new Map<number, number>([
  [AV_ID.FLAGS, 4],
  [AV_ID.TIMESTAMP, 8],
]);

/**
 * Reads a list up to its EOL pair, or to the end where a sender forgot it. What follows EOL is not looked at.
 *
 * @throws SallyportError CHALLENGE_INVALID when a pair reaches past the list or has a wrong fixed length, and for more than
 *   64 pairs
 */
export function parseAvPairs(bytes: Uint8Array): AvPair[] {
  const list = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairs: AvPair[] = [];
  let at = 0;
  while (at < list.length) {
    const pair = readPair(list, at);
    if (pair.id === AV_ID.EOL) {
      break;
    }
    if (pairs.length === MAX_AV_PAIRS) {
      throw new SallyportError(
        'CHALLENGE_INVALID',
        `The AV pair list has more than ${MAX_AV_PAIRS} pairs`,
      );
    }
    pairs.push(pair);
    at += HEADER_BYTES + pair.value.length;
  }
  return pairs;
}

/**
 * Writes a list and its EOL.
 *
 * @throws SallyportError CHALLENGE_TOO_LARGE when a value is longer than 65,535 bytes
 */
export function formatAvPairs(pairs: readonly AvPair[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { id, value } of pairs) {
    if (value.length > 0xffff) {
      throw new SallyportError('CHALLENGE_TOO_LARGE', `AV pair ${id} has ${value.length} bytes`);
    }
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16LE(id, 0);
    header.writeUInt16LE(value.length, 2);
    parts.push(header, value);
  }
  return Buffer.concat([...parts, Buffer.alloc(HEADER_BYTES)]);
}

/** The value of the first pair with this identifier. */
export function findAvValue(pairs: readonly AvPair[], id: number): Uint8Array | undefined {
  return pairs.find((pair) => pair.id === id)?.value;
}

function readPair(list: Buffer, at: number): AvPair {
  if (at + HEADER_BYTES > list.length) {
    throw new SallyportError('CHALLENGE_INVALID', 'The AV pair list ends inside a pair');
  }
  const id = list.readUInt16LE(at);
  if (id === AV_ID.EOL) {
    return { id, value: new Uint8Array() };
  }
  const length = list.readUInt16LE(at + 2);
  const start = at + HEADER_BYTES;
  if (start + length > list.length) {
    throw new SallyportError('CHALLENGE_INVALID', `AV pair ${id} reaches past its list`);
  }
  const fixed = FIXED_LENGTHS.get(id);
  if (fixed !== undefined && fixed !== length) {
    throw new SallyportError(
      'CHALLENGE_INVALID',
      `AV pair ${id} has ${length} bytes, expected ${fixed}`,
    );
  }
  return { id, value: new Uint8Array(list.subarray(start, start + length)) };
}
