// The sign-on of one connection: which scheme a credential belongs to, whether the connection is already
// signed on, and what a request is to be answered. Knows no socket and no HTTP beyond one header value.

import type { Acceptor, RefusalReason } from './acceptors/acceptor.ts';
import { verifyBasic } from './acceptors/basic.ts';
import type { DigestAuthority } from './acceptors/digest.ts';
import type { NegotiateForms } from './acceptors/negotiate-acceptor.ts';
import { NegotiateAcceptor } from './acceptors/negotiate-acceptor.ts';
import type { NtlmPolicy } from './acceptors/ntlm-acceptor.ts';
import { NtlmAcceptor } from './acceptors/ntlm-acceptor.ts';
import { ntlmMessageType } from './acceptors/ntlm-messages.ts';
import type { Account, Accounts } from './accounts.ts';

export type ProxyScheme = 'Negotiate' | 'NTLM' | 'Digest' | 'Basic';

/** What the acceptors of one listener are built from. */
export interface SignOnPolicy extends NtlmPolicy {
  /** In the order of the offers; none lets everybody pass. */
  readonly schemes: readonly ProxyScheme[];
  readonly accounts: Accounts;
  readonly negotiate: NegotiateForms;
  readonly digest: DigestAuthority;
}

/**
 * What the credentials of a request were: `first` opens a handshake (NTLM type 1), `middle` goes on with it
 * (only after SPNEGO's `request-mic`), `final` is judged (NTLM type 3, Digest, Basic).
 */
export type Leg = 'none' | 'first' | 'middle' | 'final';

/** What is to be done with a request. */
export interface Decision {
  readonly kind: 'pass' | 'challenge' | 'refuse';
  /** The scheme of the credentials sent or, without any, of the connection's sign-on. */
  readonly scheme: ProxyScheme | null;
  readonly leg: Leg;
  /** Who is signed on, or whom a refused last leg named. */
  readonly user: string | null;
  readonly reason: RefusalReason | null;
  /** Value of the authenticate header that goes with the answer: a challenge, or a last token. */
  readonly header: string | null;
  /** Whether a Digest nonce was too old: the offers say so. */
  readonly isStale: boolean;
  /** Value of the authentication-info header of an accepted request. */
  readonly info: string | null;
}

/** What Digest takes in. */
export interface SignedHead {
  readonly method: string;
  readonly target: string;
}

const CREDENTIALS = /^([A-Za-z-]+) +([A-Za-z0-9+/]+={0,2}|[a-z]+\*?=.*)$/;
const MAX_TOKEN_CHARACTERS = 87_384;

/** NTLM and Negotiate sign the connection on; Digest and Basic are judged with every request. */
export class ConnectionSignOn {
  readonly #policy: SignOnPolicy;
  #signedOn: { readonly scheme: ProxyScheme; readonly account: Account } | null = null;
  #handshake: { readonly scheme: ProxyScheme; readonly acceptor: Acceptor } | null = null;

  constructor(policy: SignOnPolicy) {
    this.#policy = policy;
  }

  /** @param credentials the values of all `Proxy-Authorization` (or `Authorization`) lines */
  decide(credentials: readonly string[], head: SignedHead): Decision {
    if (this.#policy.schemes.length === 0) {
      return this.#decision('pass');
    }
    const [value] = credentials;
    if (value === undefined) {
      this.#handshake = null;
      return this.#signedOn === null
        ? this.#decision('refuse', { reason: 'no-credentials' })
        : this.#decision('pass');
    }
    const match = CREDENTIALS.exec(value);
    if (match === null || credentials.length > 1 || value.length > MAX_TOKEN_CHARACTERS) {
      return this.#decision('refuse', { reason: 'malformed' });
    }
    const scheme = this.#policy.schemes.find(
      (offered) => offered.toLowerCase() === match[1]?.toLowerCase(),
    );
    if (scheme === undefined) {
      return this.#decision('refuse', { reason: 'scheme-not-offered' });
    }
    const text = match[2] ?? '';
    if (scheme === 'Digest') {
      return this.#judgeDigest(text, head);
    }
    const token = Buffer.from(text, 'base64');
    return scheme === 'Basic' ? this.#judgeBasic(token) : this.#stepHandshake(scheme, token);
  }

  #judgeDigest(text: string, head: SignedHead): Decision {
    const { reason, user, isStale, info } = this.#policy.digest.judge(text, head);
    const kind = reason === null ? 'pass' : 'refuse';
    const seen = { scheme: 'Digest', leg: 'final', user, reason, isStale, info } as const;
    return this.#decision(kind, seen);
  }

  /** Gives up a handshake that is under way, and what the connection was signed on as. */
  forget(): void {
    this.#handshake = null;
    this.#signedOn = null;
  }

  #judgeBasic(token: Buffer): Decision {
    const verdict = verifyBasic(token, this.#policy.accounts);
    const seen = { scheme: 'Basic', leg: 'final', user: verdict.user } as const;
    return verdict.reason === null
      ? this.#decision('pass', seen)
      : this.#decision('refuse', { ...seen, reason: verdict.reason });
  }

  #stepHandshake(scheme: 'Negotiate' | 'NTLM', token: Buffer): Decision {
    const begins = opensHandshake(token);
    if (begins || this.#handshake?.scheme !== scheme) {
      this.#handshake = { scheme, acceptor: this.#createAcceptor(scheme) };
    }
    // Whoever begins again has given up what the connection was signed on as.
    this.#signedOn = null;
    const step = this.#handshake.acceptor.step(token);
    if (step.kind === 'challenge') {
      const header = `${scheme} ${step.token.toString('base64')}`;
      return this.#decision('challenge', { scheme, leg: begins ? 'first' : 'middle', header });
    }
    this.#handshake = null;
    if (step.kind === 'refused') {
      return this.#decision('refuse', {
        scheme,
        leg: begins ? 'first' : 'final',
        reason: step.reason,
        user: step.user,
      });
    }
    this.#signedOn = { scheme, account: step.account };
    const header = step.token === null ? null : `${scheme} ${step.token.toString('base64')}`;
    return this.#decision('pass', { leg: 'final', header });
  }

  #createAcceptor(scheme: 'Negotiate' | 'NTLM'): Acceptor {
    return scheme === 'NTLM'
      ? new NtlmAcceptor(this.#policy)
      : new NegotiateAcceptor(this.#policy, this.#policy.negotiate);
  }

  #decision(kind: Decision['kind'], seen: Partial<Decision> = {}): Decision {
    return {
      kind,
      scheme: this.#signedOn?.scheme ?? null,
      leg: 'none',
      user: this.#signedOn?.account.id ?? null,
      reason: null,
      header: null,
      isStale: false,
      info: null,
      ...seen,
    };
  }
}

/** NTLM type 1, or SPNEGO's InitialContextToken. */
function opensHandshake(token: Buffer): boolean {
  return ntlmMessageType(token) === 1 || token[0] === 0x60;
}
