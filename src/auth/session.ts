// The contract of a sign-on session. Owns the words; the sessions of each scheme stand beside it.
import type { DigestChallenge } from '../digest/digest-challenge.ts';

/** Scheme names as registered and as sent. */
export type SchemeName = 'Negotiate' | 'NTLM' | 'Digest' | 'Basic';

/**
 * One sign-on attempt, bound to ONE connection: NTLM and Negotiate authenticate the socket
 * (RFC 4559 section 6), not the request. Basic and Digest sign requests.
 *
 * A session turns challenge bytes into token bytes. It MUST NOT see a socket, dial, retry or read
 * HTTP: `upstream/` owns the loop. The first `step` gets `null`. The caller disposes the session on
 * every path; a disposed session is never stepped again.
 */
export interface AuthSession extends Disposable {
  readonly scheme: SchemeName;
  /** True once the last leg was produced: a further refusal is an answer to the credentials. */
  readonly complete: boolean;
  /**
   * What the server judges by it, known once the first token was made: a password, whose refusals lock
   * accounts, or a ticket, whose refusals do not.
   */
  readonly proof: 'password' | 'ticket';
  /** Who signs on, where the operating system tells; else `null`. */
  readonly principal: string | null;
  /** For people: `Kerberos by GSSAPI (MIT, ...)`. */
  readonly description: string;
  /**
   * Returns the next token, or `null` when this side has nothing more to say.
   *
   * @throws SallyportError CHALLENGE_INVALID, CHALLENGE_TOO_LARGE, CREDENTIALS_INVALID,
   *   CRYPTO_UNAVAILABLE; of the operating system's library those of `SecurityContext.step`
   */
  step(challenge: Uint8Array | null): Promise<Uint8Array | null>;
}

/** A session that makes credentials for one request after the other: Digest. Each `step(null)` makes the next ones. */
export interface RequestSession extends AuthSession {
  /** The realm of the last credentials. */
  readonly realm: string | null;
  /** From now on this challenge is answered: the nonce before it was stale. */
  renew(challenge: DigestChallenge): void;
  /** The server has taken the credentials: others may begin with their nonce. */
  accepted(): void;
}

export function signsRequests(session: AuthSession): session is RequestSession {
  return session.scheme === 'Digest';
}
