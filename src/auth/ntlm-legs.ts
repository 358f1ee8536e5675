// The two client messages of one NTLM exchange, made from an identity. Shared by the raw and the wrapped session;
// owns clock and randomness of the exchange.
import { randomBytes } from 'node:crypto';
import { SallyportError } from '../errors/sallyport-error.ts';
import { createAuthenticateMessage } from '../ntlm/authenticate-message.ts';
import { ntlmChannelBinding } from '../ntlm/channel-binding.ts';
import { prepareMd4 } from '../ntlm/md4.ts';
import { formatNegotiateMessage } from '../ntlm/negotiate-message.ts';
import type { PasswordContext } from './session-context.ts';

/** Milliseconds from 1601-01-01 to 1970-01-01, the epochs of FILETIME and of JavaScript. */
const EPOCH_DIFFERENCE_MS = 11_644_473_600_000n;

export interface AuthenticateResult {
  readonly message: Uint8Array;
  readonly exportedSessionKey: Uint8Array;
  readonly flags: number;
}

export class NtlmLegs {
  readonly #sign: boolean;
  #context: PasswordContext | null;
  #negotiate: Uint8Array | null = null;

  /** @param options.sign asks for signing keys, which SPNEGO's mechListMIC needs */
  constructor(context: PasswordContext, options: { readonly sign: boolean }) {
    this.#context = context;
    this.#sign = options.sign;
  }

  /** Kept to the byte: the MIC of the next message covers it. */
  negotiate(): Uint8Array {
    const message = formatNegotiateMessage({ sign: this.#sign });
    this.#negotiate = message;
    prepareMd4();
    return message;
  }

  async authenticate(challenge: Uint8Array): Promise<AuthenticateResult> {
    const context = this.#context;
    if (context === null || this.#negotiate === null) {
      throw new SallyportError('CHALLENGE_INVALID', 'A challenge came out of turn');
    }
    const { identity, spn, channelBindings } = context;
    return createAuthenticateMessage({
      negotiate: this.#negotiate,
      challenge,
      user: identity.user,
      domain: identity.domain,
      workstation: '',
      password: identity.password.reveal(),
      spn,
      channelBinding: channelBindings === null ? null : ntlmChannelBinding(channelBindings),
      deps: { now: fileTimeNow, randomBytes },
    });
  }

  forget(): void {
    this.#context = null;
    this.#negotiate = null;
  }
}

/** Now, as FILETIME: 100 ns since 1601-01-01 UTC. */
function fileTimeNow(): bigint {
  return (BigInt(Date.now()) + EPOCH_DIFFERENCE_MS) * 10_000n;
}
