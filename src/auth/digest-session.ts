// Digest with explicit credentials (RFC 7616): one leg for each request, under a nonce that may be known from the one before.
// Owns which nonce is used when; the hashes are `digest/`, the counting is `digest-nonces.ts`.
import type { DigestChallenge } from '../digest/digest-challenge.ts';
import { digestCredentials } from '../digest/digest-credentials.ts';
import type { PasswordIdentity } from './credentials.ts';
import type { DigestNonces } from './digest-nonces.ts';
import type { RequestSession } from './session.ts';

/** The request that is signed, as far as Digest takes it in. */
export interface SignedRequest {
  readonly method: string;
  readonly uri: string;
  /** `null` where it is not known beforehand. */
  readonly body: Uint8Array | null;
}

export interface DigestContext {
  readonly identity: PasswordIdentity;
  /** `host:port`, the key of what is remembered. */
  readonly server: string;
  readonly nonces: DigestNonces;
  readonly request: SignedRequest;
  /** What to answer; `null` begins with what the server took before. */
  readonly challenge: DigestChallenge | null;
}

export class DigestSession implements RequestSession {
  readonly scheme = 'Digest';
  readonly proof = 'password';
  readonly principal = null;
  readonly description = 'Digest';
  complete = false;
  readonly #context: DigestContext;
  #challenge: DigestChallenge | null;
  #isAccepted = false;

  constructor(context: DigestContext) {
    this.#context = context;
    this.#challenge = context.challenge ?? context.nonces.known(context.server);
  }

  get realm(): string | null {
    return this.#challenge?.realm ?? null;
  }

  renew(challenge: DigestChallenge): void {
    this.#challenge = challenge;
    this.#isAccepted = false;
  }

  accepted(): void {
    if (this.#challenge !== null && !this.#isAccepted) {
      this.#isAccepted = true;
      this.#context.nonces.learn(this.#context.server, this.#challenge);
    }
  }

  /** Credentials for one more request, each with a count of its own. The challenge came with the context. */
  async step(): Promise<Uint8Array | null> {
    const { identity, nonces, server, request } = this.#context;
    // Once it was accepted, what the server takes now is the newest that is known.
    const challenge = this.#isAccepted ? nonces.known(server) : this.#challenge;
    if (challenge === null) {
      return null;
    }
    this.#challenge = challenge;
    this.complete = true;
    const credentials = digestCredentials({
      ...{ challenge, user: identity.typed, password: identity.password.reveal(), ...request },
      ...nonces.next(server, challenge.nonce),
    });
    return Buffer.from(credentials, 'latin1');
  }

  [Symbol.dispose](): void {
    this.#challenge = null;
    this.#isAccepted = false;
  }
}
