// Reading DER through asn1js. Owns the limits: size and depth before anything is built, definite lengths, no rest.
// What a structure means is its caller's.
import type { AsnType } from 'asn1js';
import { Constructed, fromBER } from 'asn1js';
import { SallyportError } from '../errors/sallyport-error.ts';

const MAX_BYTES = 64 * 1024;
/** A certificate is 8 deep, a SPNEGO token 5. */
const MAX_DEPTH = 12;
const MAX_NODES = 2_000;
/** asn1js counts before it descends. Strings are not looked into. */
const LIMITS = {
  maxDepth: MAX_DEPTH,
  maxNodes: MAX_NODES,
  maxContentLength: MAX_BYTES,
  parseEmbedded: false,
  copyInput: false,
};

/** Classes of the identifier octet as asn1js counts them (X.690 section 8.1.2.2, plus one). */
export const TAG_CLASS = { UNIVERSAL: 1, APPLICATION: 2, CONTEXT: 3 } as const;

/**
 * Reads one DER value that fills `bytes`. The content of octet and bit strings is left alone.
 *
 * @param name how errors call it
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE (over 64 KiB)
 */
export function parseDer(bytes: Uint8Array, name: string): AsnType {
  if (bytes.length > MAX_BYTES) {
    throw new SallyportError(
      'CHALLENGE_TOO_LARGE',
      `The ${name} has ${bytes.length} bytes, more than 64 KiB`,
    );
  }
  const value = readValue(new Uint8Array(bytes));
  if (value === null || !isDer(value)) {
    throw new SallyportError('CHALLENGE_INVALID', `The ${name} is not well-formed DER`);
  }
  return value;
}

/** The values inside a constructed one; none for a primitive one. */
export function childrenOf(value: AsnType | undefined): readonly AsnType[] {
  return value instanceof Constructed ? value.valueBlock.value : [];
}

/** Tells whether a value has this class and tag number. */
export function hasTag(value: AsnType | undefined, tagClass: number, tagNumber: number): boolean {
  return value?.idBlock.tagClass === tagClass && value.idBlock.tagNumber === tagNumber;
}

/** `null` when asn1js gives up, or stops short of the end. */
function readValue(bytes: Uint8Array<ArrayBuffer>): AsnType | null {
  try {
    const { offset, result } = fromBER(bytes, LIMITS);
    return offset === bytes.length ? result : null;
  } catch {
    // asn1js 4.0.0 throws on an empty GeneralizedTime (18 00), where it should answer -1.
    return null;
  }
}

/** No indefinite length, no string in pieces, no primitive SEQUENCE (X.690 section 10). */
function isDer(value: AsnType): boolean {
  return (
    !value.lenBlock.isIndefiniteForm &&
    value.idBlock.isConstructed === value instanceof Constructed &&
    childrenOf(value).every(isDer)
  );
}
