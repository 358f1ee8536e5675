// Kerberos inside SPNEGO (RFC 4178): one mechanism, so its token goes first and no signature is due unless asked for.
// Owns these few tokens; the Kerberos in them is the library's.
import { MECH } from '../spnego/token-fields.ts';
import { formatNegTokenInit, formatNegTokenResp, mechTypeListDer } from '../spnego/write-token.ts';

const MECH_TYPES = [MECH.KERBEROS];
const KERBEROS_NAMES: readonly string[] = [MECH.KERBEROS, MECH.MS_KERBEROS];

/** What a `mechListMIC` of either side covers. */
export const MECH_LIST: Uint8Array = mechTypeListDer(MECH_TYPES);

/** What the acceptor answered to the first token. */
export interface NegotiationAnswer {
  /** For Kerberos: the acceptor's proof, or its error. */
  readonly token: Uint8Array | null;
  readonly mechListMic: Uint8Array | null;
  /** It wants the list of mechanisms signed. */
  readonly wantsMic: boolean;
}

export function firstToken(kerberosToken: Uint8Array): Uint8Array {
  return formatNegTokenInit({ mechTypes: MECH_TYPES, mechToken: kerberosToken });
}

/** @param mechListMic signature over `MECH_LIST` */
export function laterToken(token: Uint8Array | null, mechListMic: Uint8Array | null): Uint8Array {
  return formatNegTokenResp({
    ...(token === null ? {} : { responseToken: token }),
    ...(mechListMic === null ? {} : { mechListMic }),
  });
}

/**
 * Reads the acceptor's answer.
 *
 * @returns `null` when it refuses, or wants another mechanism than Kerberos
 * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE
 */
export async function readAnswer(bytes: Uint8Array): Promise<NegotiationAnswer | null> {
  // Squid answers without a token: what reads one is loaded for those that do.
  const { parseNegTokenResp } = await import('../spnego/neg-token.ts');
  const { negState, supportedMech, responseToken, mechListMic } = parseNegTokenResp(bytes);
  const isOther = supportedMech !== undefined && !KERBEROS_NAMES.includes(supportedMech);
  if (negState === 'reject' || isOther) {
    return null;
  }
  return {
    token: responseToken ?? null,
    mechListMic: mechListMic ?? null,
    wantsMic: negState === 'request-mic',
  };
}
