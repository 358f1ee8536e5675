// A sign-on by the operating system's own library, for the signed-in user or for a name with a password. Owns how long
// such a call may take, and what its tokens are; the library is `native/`.
import { SallyportError } from '../errors/sallyport-error.ts';
import type {
  ContextRequest,
  SecurityContext,
  SecurityProvider,
} from '../native/security-context.ts';
import { carriesNtlm } from '../ntlm/ntlm-message.ts';
import type { AuthSession } from './session.ts';
import type { SessionContext } from './session-context.ts';

/** A domain controller answers in milliseconds, through a VPN in a second; libraries wait 30 s (docs/defaults.md). */
const SYSTEM_PATIENCE_MS = 10_000;

export interface SystemSessionInput extends SessionContext {
  readonly package: ContextRequest['package'];
}

export class SystemSession implements AuthSession {
  readonly scheme: 'Negotiate' | 'NTLM';
  proof: 'password' | 'ticket' = 'password';
  readonly #provider: SecurityProvider;
  readonly #context: SecurityContext;
  #hasToken = false;

  /** @throws SallyportError SIGN_ON_UNAVAILABLE when the library has no such package */
  constructor(
    scheme: 'Negotiate' | 'NTLM',
    provider: SecurityProvider,
    { identity, spn, channelBindings, delegate, ...input }: SystemSessionInput,
  ) {
    if (!provider.packages.includes(input.package)) {
      throw lacksPackage(provider, input.package);
    }
    this.scheme = scheme;
    this.#provider = provider;
    this.#context = provider.createContext({
      package: input.package,
      spn,
      credentials:
        identity.kind === 'system'
          ? null
          : { user: identity.user, domain: identity.domain, password: identity.password.reveal() },
      channelBindings,
      allowNtlm: input.allowNtlm,
      mutual: true,
      delegate,
    });
  }

  /** A Kerberos token is the whole proof; what may follow it is the server's own. */
  get complete(): boolean {
    return this.#context.complete || (this.#hasToken && this.proof === 'ticket');
  }

  get principal(): string | null {
    return this.#context.principal;
  }

  get description(): string {
    return `${this.proof === 'ticket' ? 'Kerberos' : 'NTLM'} by ${this.#provider.description}`;
  }

  async step(challenge: Uint8Array | null): Promise<Uint8Array | null> {
    const token = await inTime(this.#context.step(challenge));
    if (token !== null) {
      // Once a password is in it, it stays: a later SPNEGO token may hold neither.
      const isPassword = carriesNtlm(token) || (this.#hasToken && this.proof === 'password');
      this.proof = isPassword ? 'password' : 'ticket';
      this.#hasToken = true;
    }
    return token;
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }
}

/** Whoever gives up leaves the call to itself: it cannot be ended, and frees its memory when it comes back. */
function inTime<T>(call: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new SallyportError(
      'KDC_UNREACHABLE',
      `The domain’s sign-on service did not answer within ${SYSTEM_PATIENCE_MS / 1000} s`,
      { hint: 'Connect to the company’s network (VPN).' },
    );
    const timer = setTimeout(() => reject(late), SYSTEM_PATIENCE_MS);
    call.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function lacksPackage(provider: SecurityProvider, name: string): SallyportError {
  const isNtlm = name.endsWith('ntlm');
  return new SallyportError(
    'SIGN_ON_UNAVAILABLE',
    `${provider.description} has no ${isNtlm ? 'NTLM' : 'Kerberos'} here`,
    {
      hint: isNtlm
        ? 'On Linux, gss-ntlmssp with winbind brings it; or give a name with --user.'
        : 'Give a name with --user.',
    },
  );
}
