// Reads SPNEGO tokens (RFC 4178 section 4.2, MS-SPNG 2.2) of whoever sent them. Owns the decoding only; which mechanism
// to take and when to sign is for `auth/`.
import type { AsnType } from 'asn1js';
import { Enumerated, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import { SallyportError } from '../errors/sallyport-error.ts';
import { childrenOf, hasTag, parseDer, TAG_CLASS } from './der.ts';
import type { NegState, NegTokenInit, NegTokenResp } from './token-fields.ts';
import { MECH, NEG_STATES } from './token-fields.ts';

/** NegTokenInit2 has fields 0 to 4, the others fewer. */
const LAST_FIELD = 4;
/** Those of mechanisms have 24 at most; messages may show one. */
const MAX_OID_CHARS = 128;

export type SpnegoToken =
  | ({ readonly kind: 'init' } & NegTokenInit)
  | ({ readonly kind: 'resp' } & NegTokenResp);

/**
 * Reads either kind of token by its first byte.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE (over 64 KiB)
 */
export function parseSpnegoToken(bytes: Uint8Array): SpnegoToken {
  const token = parseDer(bytes, 'SPNEGO token');
  if (hasTag(token, TAG_CLASS.APPLICATION, 0)) {
    return { kind: 'init', ...readInit(token) };
  }
  if (hasTag(token, TAG_CLASS.CONTEXT, 1)) {
    return { kind: 'resp', ...readResp(token) };
  }
  throw malformed('The token is not of SPNEGO');
}

/**
 * Reads an initiator's first token, or the hints of a server that speaks first (NegTokenInit2, MS-SPNG 2.2.1).
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function parseNegTokenInit(bytes: Uint8Array): NegTokenInit {
  const token = parseSpnegoToken(bytes);
  if (token.kind !== 'init') {
    throw malformed('Expected the first SPNEGO token, got a later one');
  }
  const { kind: _, ...fields } = token;
  return fields;
}

/**
 * Reads a later token.
 *
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export function parseNegTokenResp(bytes: Uint8Array): NegTokenResp {
  const token = parseSpnegoToken(bytes);
  if (token.kind !== 'resp') {
    throw malformed('Expected a later SPNEGO token, got a first one');
  }
  const { kind: _, ...fields } = token;
  return fields;
}

function readInit(frame: AsnType): NegTokenInit {
  const [mechanism, choice] = childrenOf(frame);
  if (readOid(mechanism) !== MECH.SPNEGO || !hasTag(choice, TAG_CLASS.CONTEXT, 0)) {
    throw malformed('The token is of a mechanism other than SPNEGO');
  }
  const fields = readFields(choice);
  const mechTypes = childrenOf(fields.get(0)).map(readOid);
  if (mechTypes.length === 0) {
    throw malformed('The SPNEGO token offers no mechanism');
  }
  const mechToken = fields.get(2);
  // In NegTokenInit2 field 3 is negHints, a SEQUENCE, and field 4 the MIC.
  const mechListMic = fields.get(3) instanceof Sequence ? fields.get(4) : fields.get(3);
  return {
    mechTypes,
    ...(mechToken === undefined ? {} : { mechToken: readOctets(mechToken) }),
    ...(mechListMic === undefined ? {} : { mechListMic: readOctets(mechListMic) }),
  };
}

function readResp(choice: AsnType): NegTokenResp {
  const fields = readFields(choice);
  const [state, mechanism, response, mic] = [0, 1, 2, 3].map((tag) => fields.get(tag));
  const responseToken = response && readOctets(response);
  const mechListMic = mic && readOctets(mic);
  // Windows 2000 repeats the response token in the place of the MIC (MS-SPNG appendix A).
  const repeated = responseToken && mechListMic && Buffer.compare(responseToken, mechListMic) === 0;
  return {
    ...(state === undefined ? {} : { negState: readNegState(state) }),
    ...(mechanism === undefined ? {} : { supportedMech: readOid(mechanism) }),
    ...(responseToken === undefined ? {} : { responseToken }),
    ...(mechListMic === undefined || repeated ? {} : { mechListMic }),
  };
}

/** The fields of the one SEQUENCE in a choice, by context tag. Unknown ones are skipped, whatever they hold. */
function readFields(choice: AsnType | undefined): ReadonlyMap<number, AsnType> {
  const [sequence, ...rest] = childrenOf(choice);
  if (!(sequence instanceof Sequence) || rest.length > 0) {
    throw malformed('The SPNEGO token has no SEQUENCE of fields');
  }
  const fields = new Map<number, AsnType>();
  for (const field of childrenOf(sequence)) {
    const { tagClass, tagNumber } = field.idBlock;
    if (tagClass !== TAG_CLASS.CONTEXT || tagNumber > LAST_FIELD) {
      continue;
    }
    const [value, ...more] = childrenOf(field);
    if (value === undefined || more.length > 0 || fields.has(tagNumber)) {
      throw malformed(`Field ${tagNumber} of the SPNEGO token does not hold one value`);
    }
    fields.set(tagNumber, value);
  }
  return fields;
}

function readOid(value: AsnType | undefined): string {
  const dotted = value instanceof ObjectIdentifier ? value.getValue() : '';
  if (dotted === '' || dotted.length > MAX_OID_CHARS) {
    throw malformed('The SPNEGO token has no identifier where a mechanism belongs');
  }
  return dotted;
}

function readOctets(value: AsnType): Uint8Array {
  if (!(value instanceof OctetString)) {
    throw malformed('The SPNEGO token has no OCTET STRING where bytes belong');
  }
  return value.valueBlock.valueHexView.slice();
}

function readNegState(value: AsnType): NegState {
  const state = value instanceof Enumerated ? value.valueBlock.valueHexView : [];
  const name = state.length === 1 ? NEG_STATES[state[0] ?? -1] : undefined;
  if (name === undefined) {
    throw malformed('The SPNEGO token has an unknown negState');
  }
  return name;
}

function malformed(detail: string): SallyportError {
  return new SallyportError('CHALLENGE_INVALID', detail);
}
