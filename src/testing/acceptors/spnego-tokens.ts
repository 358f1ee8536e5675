// SPNEGO tokens as an acceptor sees them (RFC 4178 section 4.2). Written apart from `src/spnego`. Malformed
// input gives `null`, never an exception.
import type { DerElement } from '../der.ts';
import { readDer, readDerList, writeDer, writeOid } from '../der.ts';

export const NTLMSSP = '1.3.6.1.4.1.311.2.2.10';

export const NEG_STATE = { ACCEPT_COMPLETED: 0, ACCEPT_INCOMPLETE: 1, REJECT: 2, REQUEST_MIC: 3 };

export interface NegTokenInit {
  /** OBJECT IDENTIFIER elements as sent, most wanted first. */
  readonly mechTypes: readonly Buffer[];
  /** The SEQUENCE of them as sent: what a mechListMIC covers. */
  readonly mechTypesDer: Buffer;
  readonly mechToken: Buffer | null;
}

export interface InitiatorNegTokenResp {
  readonly responseToken: Buffer | null;
  readonly mechListMic: Buffer | null;
}

const SPNEGO_OID = writeOid('1.3.6.1.5.5.2');
const TAG = {
  INITIAL: 0x60,
  RESP: 0xa1,
  SEQUENCE: 0x30,
  OCTETS: 0x04,
  OID: 0x06,
  ENUMERATED: 0x0a,
};

/** Reads an InitialContextToken (RFC 2743 section 3.1) with a NegTokenInit in it. */
export function readNegTokenInit(token: Buffer): NegTokenInit | null {
  const [oid, choice] = listIn(token, TAG.INITIAL) ?? [];
  if (oid === undefined || !oid.encoded.equals(SPNEGO_OID) || choice?.tag !== 0xa0) {
    return null;
  }
  const fields = listIn(choice.content, TAG.SEQUENCE);
  const list = field(fields, 0);
  const mechTypes = list === undefined ? null : listIn(list, TAG.SEQUENCE);
  if (list === undefined || !mechTypes?.length || mechTypes.some(({ tag }) => tag !== TAG.OID)) {
    return null;
  }
  return {
    mechTypes: mechTypes.map(({ encoded }) => encoded),
    mechTypesDer: list,
    mechToken: octets(field(fields, 2)),
  };
}

/** Reads a NegTokenResp from the initiator. */
export function readNegTokenResp(token: Buffer): InitiatorNegTokenResp | null {
  const [sequence] = listIn(token, TAG.RESP) ?? [];
  const fields = sequence?.tag === TAG.SEQUENCE ? readDerList(sequence.content) : null;
  return fields === null
    ? null
    : { responseToken: octets(field(fields, 2)), mechListMic: octets(field(fields, 3)) };
}

/** Writes a NegTokenResp of the acceptor; supportedMech, where asked for, is NTLMSSP. */
export function writeNegTokenResp(reply: {
  readonly negState: number;
  readonly namesMech?: boolean;
  readonly responseToken?: Buffer;
  readonly mechListMic?: Buffer;
}): Buffer {
  const parts = [writeDer(0xa0, writeDer(TAG.ENUMERATED, Buffer.from([reply.negState])))];
  if (reply.namesMech) {
    parts.push(writeDer(0xa1, writeOid(NTLMSSP)));
  }
  if (reply.responseToken) {
    parts.push(writeDer(0xa2, writeDer(TAG.OCTETS, reply.responseToken)));
  }
  if (reply.mechListMic) {
    parts.push(writeDer(0xa3, writeDer(TAG.OCTETS, reply.mechListMic)));
  }
  return writeDer(TAG.RESP, writeDer(TAG.SEQUENCE, ...parts));
}

/** The elements inside the one element `bytes` must be. */
function listIn(bytes: Buffer, tag: number): DerElement[] | null {
  const outer = readDer(bytes);
  return outer?.tag === tag && outer.encoded.length === bytes.length
    ? readDerList(outer.content)
    : null;
}

/** The content of context tag [n]. */
function field(fields: readonly DerElement[] | null, number: number): Buffer | undefined {
  return fields?.find(({ tag }) => tag === 0xa0 + number)?.content;
}

function octets(bytes: Buffer | undefined): Buffer | null {
  const element = bytes === undefined ? null : readDer(bytes);
  return element?.tag === TAG.OCTETS ? element.content : null;
}
