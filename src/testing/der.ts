// DER, the little of it that SPNEGO tokens and certificates need: definite lengths, single-byte tags. Written
// apart from `src/spnego`, so that a mistake there is not repeated here.

/** One element: tag byte, content, and the bytes of the whole element as they were. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly encoded: Buffer;
}

const MAX_CHILDREN = 64;

/** Reads the element at the start of `bytes`; `null` when it is cut short or not DER. */
export function readDer(bytes: Buffer): DerElement | null {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) {
    return null;
  }
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 3 || bytes.length < 2 + lengthBytes) {
    return null;
  }
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (start + length > bytes.length) {
    return null;
  }
  return {
    tag,
    content: bytes.subarray(start, start + length),
    encoded: bytes.subarray(0, start + length),
  };
}

/** Reads elements one behind the other to the end of `bytes`; `null` when any is malformed. */
export function readDerList(bytes: Buffer): DerElement[] | null {
  const elements: DerElement[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const element = readDer(rest);
    if (element === null || elements.length === MAX_CHILDREN) {
      return null;
    }
    elements.push(element);
    rest = rest.subarray(element.encoded.length);
  }
  return elements;
}

/** Writes one element around already encoded parts. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

/** Writes an OBJECT IDENTIFIER from its dotted form. */
export function writeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return writeDer(0x06, Buffer.from([first * 40 + second, ...others.flatMap(base128)]));
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) {
    return Buffer.from([length]);
  }
  const octets = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) {
    octets.unshift(left % 256);
  }
  return Buffer.from([0x80 | octets.length, ...octets]);
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift(0x80 | (left % 128));
  }
  return digits;
}
