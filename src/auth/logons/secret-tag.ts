// A secret, reduced to what may be written down: enough to see that it changed, useless to a thief. Owns the memo that
// keeps this from being computed twice.
import { createHmac, randomBytes, scrypt } from 'node:crypto';
import type { Secret } from '../../observe/secret.ts';

/** 16 MiB and some 30 ms for each guess. */
const COST = { N: 16_384, r: 8, p: 1 };
/** One wrong password in a million looks like another one; a thief is left with as many candidates. */
const TAG_BITS = 20;
/** Secrets one process remembers the tags of. */
const MAX_TAGS = 32;

const processKey = randomBytes(32);
const tags = new Map<string, Promise<number>>();
/** Each sign-on asks for it several times. */
const processTags = new WeakMap<Secret, string>();

/**
 * The first 20 bits of scrypt over the secret (RFC 7914). Computed off the main thread, once per process, secret and salt.
 *
 * @param salt of the file it is written to
 */
export function tagOf(secret: Secret, salt: string): Promise<number> {
  const key = `${salt} ${processTag(secret)}`;
  const known = tags.get(key);
  if (known !== undefined) {
    return known;
  }
  const tag = computeTag(secret, salt);
  tags.set(key, tag);
  tag.catch(() => tags.delete(key));
  const [oldest] = tags.keys();
  if (tags.size > MAX_TAGS && oldest !== undefined) {
    tags.delete(oldest);
  }
  return tag;
}

/** A name for a secret that is good within this process and useless outside it. */
export function processTag(secret: Secret): string {
  const known = processTags.get(secret);
  if (known !== undefined) {
    return known;
  }
  const tag = createHmac('sha256', processKey).update(secret.reveal()).digest('base64url');
  processTags.set(secret, tag);
  return tag;
}

function computeTag(secret: Secret, salt: string): Promise<number> {
  return new Promise((resolve, reject) => {
    scrypt(secret.reveal(), Buffer.from(salt, 'base64'), 4, COST, (error, bytes) => {
      error === null ? resolve(bytes.readUInt32BE() >>> (32 - TAG_BITS)) : reject(error);
    });
  });
}
