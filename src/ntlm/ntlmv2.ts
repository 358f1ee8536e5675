// The computations of NTLMv2 (MS-NLMP 3.3.2), one small function each. LM and NTLMv1 are not here, on purpose.

import { md4 } from './md4.ts';
import { hmacMd5 } from './md5.ts';
import { utf16le } from './text.ts';

/**
 * NTOWFv1, the hash Windows stores: MD4 of the password in UTF-16LE. As good as the password: wipe it after use.
 *
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export async function ntHash(password: string): Promise<Uint8Array> {
  const text = utf16le(password);
  try {
    return await md4(text);
  } finally {
    text.fill(0);
  }
}

/**
 * NTOWFv2, called ResponseKeyNT later: binds the hash to user and domain. The user is upper-cased, the domain is not.
 *
 * @throws SallyportError CRYPTO_UNAVAILABLE
 */
export function ntowfv2(hash: Uint8Array, user: string, domain: string): Uint8Array {
  return hmacMd5(hash, utf16le(upperCase(user) + domain));
}

/** NTProofStr: the proof of the password over the server's challenge and `temp`. */
export function ntProof(
  responseKey: Uint8Array,
  serverChallenge: Uint8Array,
  temp: Uint8Array,
): Uint8Array {
  return hmacMd5(responseKey, serverChallenge, temp);
}

/** The LMv2 response, 24 bytes: sent only to servers without a timestamp. */
export function lmv2Response(
  responseKey: Uint8Array,
  serverChallenge: Uint8Array,
  clientChallenge: Uint8Array,
): Uint8Array {
  return Buffer.concat([hmacMd5(responseKey, serverChallenge, clientChallenge), clientChallenge]);
}

/** SessionBaseKey. Without KEY_EXCH, which we never offer, it is the ExportedSessionKey as well. */
export function sessionBaseKey(responseKey: Uint8Array, proof: Uint8Array): Uint8Array {
  return hmacMd5(responseKey, proof);
}

/**
 * The MIC (MS-NLMP 3.1.5.1.2): binds the three messages together.
 *
 * @param authenticate with the 16 bytes of the MIC itself zero
 */
export function messageIntegrityCode(
  exportedSessionKey: Uint8Array,
  negotiate: Uint8Array,
  challenge: Uint8Array,
  authenticate: Uint8Array,
): Uint8Array {
  return hmacMd5(exportedSessionKey, negotiate, challenge, authenticate);
}

/** One code unit to one, in no locale: Windows leaves a sharp s alone where JavaScript makes two letters of it. */
function upperCase(text: string): string {
  let upper = '';
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charAt(at);
    const candidate = unit.toUpperCase();
    upper += candidate.length === 1 ? candidate : unit;
  }
  return upper;
}
