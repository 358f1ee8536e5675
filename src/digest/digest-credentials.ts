// The answer to a Digest challenge (RFC 7616 section 3.4): the hashes and the parameters as they are sent. Owns the
// encodings; draws no random numbers and counts nothing.
import { createHash } from 'node:crypto';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { DigestAlgorithm, DigestChallenge } from './digest-challenge.ts';

export interface DigestInput {
  readonly challenge: DigestChallenge;
  readonly user: string;
  readonly password: string;
  readonly method: string;
  /** The request target, or for an origin behind a proxy its origin-form. */
  readonly uri: string;
  /** Of this nonce, from 1. */
  readonly nonceCount: number;
  readonly cnonce: string;
  /** What `auth-int` takes in; `null` where it is not known beforehand. */
  readonly body: Uint8Array | null;
}

const HASHES: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
};

/**
 * The parameters behind the word `Digest`. One character a byte.
 *
 * @throws SallyportError BODY_NOT_REPLAYABLE for `auth-int` with a body that is not known beforehand; CRYPTO_UNAVAILABLE
 */
export function digestCredentials(input: DigestInput): string {
  const { challenge, uri, cnonce } = input;
  const { realm, nonce, opaque, algorithmName, qop, userhash, isSession } = challenge;
  const fields = [
    userhash ? `username="${userHash(input)}"` : usernameField(input),
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${digestResponse(input)}"`,
  ];
  if (algorithmName !== null) {
    fields.push(`algorithm=${algorithmName}`);
  }
  if (opaque !== null) {
    fields.push(`opaque=${quote(opaque)}`);
  }
  if (qop !== null) {
    fields.push(`qop=${qop}`, `nc=${countField(input)}`);
  }
  if (qop !== null || isSession) {
    fields.push(`cnonce=${quote(cnonce)}`);
  }
  if (userhash) {
    fields.push('userhash=true');
  }
  return fields.join(', ');
}

/** The response alone: lower-case hex (RFC 7616 section 3.4.1; without qop RFC 2069). */
export function digestResponse(input: DigestInput): string {
  const { challenge, password, method, uri, cnonce } = input;
  const { algorithm, realm, nonce, qop, isSession } = challenge;
  const hash = (...parts: readonly (string | Uint8Array)[]) => hashOf(algorithm, parts);
  const user = encode(input.user, input);
  const secret = hash(user, ':', realm, ':', encode(password, input));
  const a1 = isSession ? hash(secret, `:${nonce}:${cnonce}`) : secret;
  const a2 =
    qop === 'auth-int' ? hash(`${method}:${uri}:${hash(bodyOf(input))}`) : hash(`${method}:${uri}`);
  return qop === null
    ? hash(`${a1}:${nonce}:${a2}`)
    : hash(`${a1}:${nonce}:${countField(input)}:${cnonce}:${qop}:${a2}`);
}

/** Whether this Node can make it: FIPS mode forbids MD5. */
export function canHash(algorithm: DigestAlgorithm): boolean {
  try {
    createHash(HASHES[algorithm]);
    return true;
  } catch {
    return false;
  }
}

/** The name is hidden from readers, not from who knows it (RFC 7616 section 3.4.4). */
function userHash(input: DigestInput): string {
  const { algorithm, realm } = input.challenge;
  return hashOf(algorithm, [encode(input.user, input), ':', realm]);
}

function countField({ nonceCount }: DigestInput): string {
  return nonceCount.toString(16).padStart(8, '0');
}

function bodyOf({ body }: DigestInput): Uint8Array {
  if (body === null) {
    throw new SallyportError(
      'BODY_NOT_REPLAYABLE',
      'The server wants the body to be part of the sign-on (Digest, auth-int), and a stream is not known beforehand',
      { hint: 'Give the body as bytes or text.' },
    );
  }
  return body;
}

function hashOf(algorithm: DigestAlgorithm, parts: readonly (string | Uint8Array)[]): string {
  try {
    const hashing = createHash(HASHES[algorithm]);
    for (const part of parts) {
      hashing.update(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    }
    return hashing.digest('hex');
  } catch (cause) {
    throw forbidden(algorithm, cause);
  }
}

function forbidden(algorithm: DigestAlgorithm, cause: unknown): SallyportError {
  return new SallyportError('CRYPTO_UNAVAILABLE', `${algorithm} is not available in this Node`, {
    hint: 'In FIPS mode Digest works with SHA-256 only: use Kerberos, or a Node without FIPS mode',
    cause,
  });
}

/** UTF-8 where the server says so (RFC 7616 section 4), or where ISO 8859-1 cannot hold name and password both. */
function encode(text: string, { challenge, user, password }: DigestInput): Uint8Array {
  const isUtf8 = challenge.isUtf8 || !isLatin1(`${user}${password}`.normalize('NFC'));
  return Buffer.from(text.normalize('NFC'), isUtf8 ? 'utf8' : 'latin1');
}

/** RFC 7616 section 3.4: a name that is not plain ASCII stands in the extended notation of RFC 5987. */
function usernameField(input: DigestInput): string {
  const { challenge, user } = input;
  if (challenge.isUtf8 && !/^[\x20-\x7e]*$/.test(user)) {
    return `username*=UTF-8''${encodeURIComponent(user.normalize('NFC')).replaceAll(/['()*]/g, percent)}`;
  }
  return `username=${quote(Buffer.from(encode(user, input)).toString('latin1'))}`;
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function isLatin1(text: string): boolean {
  return Array.from(text).every((char) => char.charCodeAt(0) <= 0xff && char.length === 1);
}
