// The payload of NTLM messages (MS-NLMP 2.2.2): fields with a length and an offset in the fixed part. Owns the bounds.
import { SallyportError } from '../errors/sallyport-error.ts';

export interface PayloadField {
  /** Where the field's bytes begin; `Infinity` when there are none, as the offset then means nothing. */
  readonly offset: number;
  /** A copy. */
  readonly bytes: Uint8Array;
}

/** A field to be written: the place of its descriptor, and its bytes. */
export type PayloadPart = readonly [descriptorAt: number, bytes: Uint8Array];

/**
 * Reads a field through its descriptor: Len u16, MaxLen u16 (ignored), Offset u32. The offset of an empty field is
 * not looked at: some senders leave garbage there.
 *
 * @param name how errors call the field
 * @throws SallyportError CHALLENGE_INVALID when the field reaches past the message
 */
export function readPayloadField(
  message: Buffer,
  descriptorAt: number,
  name: string,
): PayloadField {
  const length = message.readUInt16LE(descriptorAt);
  if (length === 0) {
    return { offset: Number.POSITIVE_INFINITY, bytes: new Uint8Array() };
  }
  const offset = message.readUInt32LE(descriptorAt + 4);
  if (offset + length > message.length) {
    throw new SallyportError('CHALLENGE_INVALID', `The ${name} reaches past its NTLM message`);
  }
  return { offset, bytes: new Uint8Array(message.subarray(offset, offset + length)) };
}

/**
 * Writes the descriptors into `header` and joins the parts behind it, in the order given.
 *
 * @throws SallyportError CHALLENGE_TOO_LARGE when a part cannot be told in 16 bits: only what a challenge made us
 *   repeat can grow that long
 */
export function joinPayload(header: Buffer, parts: readonly PayloadPart[]): Buffer {
  let offset = header.length;
  for (const [descriptorAt, { length }] of parts) {
    if (length > 0xffff) {
      throw new SallyportError('CHALLENGE_TOO_LARGE', `An NTLM field would have ${length} bytes`);
    }
    header.writeUInt16LE(length, descriptorAt);
    header.writeUInt16LE(length, descriptorAt + 2);
    header.writeUInt32LE(offset, descriptorAt + 4);
    offset += length;
  }
  return Buffer.concat([header, ...parts.map(([, bytes]) => bytes)]);
}
