// The NTLMv2 computations an acceptor repeats (MS-NLMP 3.3.2, 3.4.4). Pure; apart from `src/ntlm` on purpose.
import { createHash, createHmac } from 'node:crypto';

function hmacMd5(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const hmac = createHmac('md5', key);
  for (const part of parts) {
    hmac.update(part);
  }
  return hmac.digest();
}

/** ResponseKeyNT (MS-NLMP 3.3.2, NTOWFv2): the user in capitals, the domain as the client wrote it. */
export function ntowfv2(ntHash: Buffer, user: string, domain: string): Buffer {
  return hmacMd5(ntHash, Buffer.from(windowsUpperCase(user) + domain, 'utf16le'));
}

/** NTProofStr over the server challenge and what follows it in the NT response. */
export function ntProof(responseKey: Buffer, serverChallenge: Buffer, temp: Buffer): Buffer {
  return hmacMd5(responseKey, serverChallenge, temp);
}

/** SessionBaseKey; without key exchange it is the exported session key as well. */
export function sessionBaseKey(responseKey: Buffer, proof: Buffer): Buffer {
  return hmacMd5(responseKey, proof);
}

/** MIC over the three messages, the MIC field of the last one being zero. */
export function messageIntegrity(sessionKey: Buffer, messages: readonly Buffer[]): Buffer {
  return hmacMd5(sessionKey, ...messages);
}

/** The signature over the SPNEGO mechanism list: sequence number 0, no key exchange (MS-NLMP 3.4.4.2). */
export function mechListSignature(
  sessionKey: Buffer,
  from: 'client' | 'server',
  mechTypes: Buffer,
): Buffer {
  const direction = from === 'client' ? 'client-to-server' : 'server-to-client';
  const signKey = createHash('md5')
    .update(sessionKey)
    .update(`session key to ${direction} signing key magic constant\0`, 'latin1')
    .digest();
  const sequence = Buffer.alloc(4);
  const checksum = hmacMd5(signKey, sequence, mechTypes).subarray(0, 8);
  return Buffer.concat([Buffer.from([1, 0, 0, 0]), checksum, sequence]);
}

/** Windows' table maps one code unit to one: "ß" has no single capital and stays. */
function windowsUpperCase(text: string): string {
  return text
    .split('')
    .map((unit) => (unit.toUpperCase().length === 1 ? unit.toUpperCase() : unit))
    .join('');
}
