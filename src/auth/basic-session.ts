// Basic (RFC 7617): one leg, `user:password` in UTF-8. Whether it may be used at all is `pick-scheme.ts`.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { PasswordIdentity } from './credentials.ts';
import type { AuthSession } from './session.ts';

export class BasicSession implements AuthSession {
  readonly scheme = 'Basic';
  readonly proof = 'password';
  readonly principal = null;
  readonly description = 'Basic';
  complete = false;
  readonly #identity: PasswordIdentity;

  /** @throws SallyportError CREDENTIALS_INVALID for a colon in the user name, which nobody could split */
  constructor(identity: PasswordIdentity) {
    if (identity.typed.includes(':')) {
      throw new SallyportError(
        'CREDENTIALS_INVALID',
        'Basic cannot carry a user name with a colon in it',
      );
    }
    this.#identity = identity;
  }

  async step(): Promise<Uint8Array | null> {
    if (this.complete) {
      return null;
    }
    this.complete = true;
    const { typed, password } = this.#identity;
    return new TextEncoder().encode(`${typed}:${password.reveal()}`);
  }

  [Symbol.dispose](): void {
    this.complete = true;
  }
}
