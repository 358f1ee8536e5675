// Writes SPNEGO tokens (RFC 4178 section 4.2, MS-SPNG 2.2): four fixed shapes, without a library, for a Kerberos sign-on
// needs no more and would wait for one to load. Reading what others wrote is `neg-token.ts`.
import type { NegTokenInit, NegTokenResp } from './token-fields.ts';
import { MECH, NEG_STATES } from './token-fields.ts';

/** Identifier octets (X.690 section 8.1.2). */
const TAG = { OCTET_STRING: 0x04, OID: 0x06, ENUMERATED: 0x0a, SEQUENCE: 0x30 } as const;
const APPLICATION_0 = 0x60;
const CONTEXT_0 = 0xa0;

/** Writes the initiator's first token, framed as an InitialContextToken (RFC 2743 section 3.1). */
export function formatNegTokenInit(token: NegTokenInit): Uint8Array {
  const fields = [
    inContext(0, mechTypeListDer(token.mechTypes)),
    ...octetField(2, token.mechToken),
    ...octetField(3, token.mechListMic),
  ];
  const body = inContext(0, write(TAG.SEQUENCE, ...fields));
  return write(APPLICATION_0, writeOid(MECH.SPNEGO), body);
}

/** Writes any later token, of either side. */
export function formatNegTokenResp(token: NegTokenResp): Uint8Array {
  const { negState, supportedMech } = token;
  const fields = [
    ...(negState === undefined
      ? []
      : [inContext(0, write(TAG.ENUMERATED, Uint8Array.of(NEG_STATES.indexOf(negState))))]),
    ...(supportedMech === undefined ? [] : [inContext(1, writeOid(supportedMech))]),
    ...octetField(2, token.responseToken),
    ...octetField(3, token.mechListMic),
  ];
  return inContext(1, write(TAG.SEQUENCE, ...fields));
}

/** The DER of the mechanism list, tag included: exactly what a mechListMIC covers (RFC 4178 section 4.2.2, appendix D). */
export function mechTypeListDer(mechTypes: readonly string[]): Uint8Array {
  return write(TAG.SEQUENCE, ...mechTypes.map(writeOid));
}

function octetField(tagNumber: number, bytes: Uint8Array | undefined): Uint8Array[] {
  return bytes === undefined ? [] : [inContext(tagNumber, write(TAG.OCTET_STRING, bytes))];
}

function inContext(tagNumber: number, value: Uint8Array): Uint8Array {
  return write(CONTEXT_0 + tagNumber, value);
}

/** Dotted identifier; the first two numbers share a byte (X.690 section 8.19). */
function writeOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return write(TAG.OID, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(number: number): number[] {
  const bytes = [number % 128];
  for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128)) {
    bytes.unshift((left % 128) + 128);
  }
  return bytes;
}

function write(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  return new Uint8Array(Buffer.concat([Uint8Array.from([tag, ...writeLength(body.length)]), body]));
}

/** Definite, and as short as can be (X.690 section 10.1). */
function writeLength(length: number): number[] {
  if (length < 128) {
    return [length];
  }
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) {
    bytes.unshift(left % 256);
  }
  return [128 + bytes.length, ...bytes];
}
