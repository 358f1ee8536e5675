// NTLMv2 with explicit credentials, under the word `NTLM` or raw under `Negotiate`: NEGOTIATE, then AUTHENTICATE.
// Owns the order of the legs; the messages are `ntlm/`.
import { SallyportError } from '../errors/sallyport-error.ts';
import { isNtlmMessage } from '../ntlm/ntlm-message.ts';
import { NtlmLegs } from './ntlm-legs.ts';
import type { AuthSession } from './session.ts';
import type { PasswordContext } from './session-context.ts';

export class NtlmSession implements AuthSession {
  readonly scheme: 'Negotiate' | 'NTLM';
  readonly proof = 'password';
  readonly principal = null;
  readonly description = 'NTLMv2';
  readonly #legs: NtlmLegs;
  #sent = 0;

  constructor(scheme: 'Negotiate' | 'NTLM', context: PasswordContext) {
    this.scheme = scheme;
    this.#legs = new NtlmLegs(context, { sign: false });
  }

  get complete(): boolean {
    return this.#sent === 2;
  }

  async step(challenge: Uint8Array | null): Promise<Uint8Array | null> {
    if (challenge === null) {
      this.#sent = 1;
      return this.#legs.negotiate();
    }
    if (this.complete) {
      return null;
    }
    if (!isNtlmMessage(challenge)) {
      if (this.scheme === 'Negotiate') {
        // A SPNEGO answer to raw NTLMSSP: this acceptor wants the wrapped form.
        return null;
      }
      throw new SallyportError('CHALLENGE_INVALID', 'The challenge is not an NTLM message');
    }
    const { message } = await this.#legs.authenticate(challenge);
    this.#sent = 2;
    return message;
  }

  [Symbol.dispose](): void {
    this.#legs.forget();
  }
}
