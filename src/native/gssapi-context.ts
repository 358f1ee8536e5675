// One sign-on by GSSAPI. Owns the order of its calls, its handles and their end; how tokens are made is the library's,
// but for the SPNEGO around Kerberos.
import { SallyportError } from '../errors/sallyport-error.ts';
import { isNtlmMessage } from '../ntlm/ntlm-message.ts';
import type { GssCalls, GssInitResult } from './gssapi-calls.ts';
import { GSS_FLAG, GSS_OID, isGssError, NOTHING } from './gssapi-calls.ts';
import { acquireCredential, importName } from './gssapi-credentials.ts';
import type { GssStatus } from './gssapi-library.ts';
import { serviceName } from './gssapi-names.ts';
import { gssError } from './gssapi-status.ts';
import { firstToken, laterToken, MECH_LIST, readAnswer } from './kerberos-negotiation.ts';
import { checkNtlmChallenge, checkWrappedChallenge } from './ntlm-guard.ts';
import type { ContextMechanism, ContextRequest, SecurityContext } from './security-context.ts';

const MAX_TOKEN_BYTES = 64 * 1024;

/** What each package asks of the library; SPNEGO around Kerberos is ours (docs/decisions/own-spnego-for-kerberos.md). */
const MECHANISMS: Readonly<Record<ContextRequest['package'], Buffer>> = {
  negotiate: GSS_OID.KERBEROS,
  kerberos: GSS_OID.KERBEROS,
  'negotiate-ntlm': GSS_OID.SPNEGO,
  ntlm: GSS_OID.NTLMSSP,
};

export class GssContext implements SecurityContext {
  mechanism: ContextMechanism | null = null;
  serverProved = false;
  principal: string | null = null;
  readonly #calls: GssCalls;
  readonly #isNtlm: boolean;
  /** Without the password once there are credentials. */
  #request: ContextRequest;
  #target = NOTHING;
  #credential = NOTHING;
  #releaseCredential = (): void => undefined;
  #context = NOTHING;
  #tokens = 0;
  /** The library's own view: nothing more to come from either side. */
  #established = false;
  #isBusy = false;
  #isDisposed = false;

  constructor(calls: GssCalls, request: ContextRequest) {
    this.#calls = calls;
    this.#request = request;
    this.#isNtlm = request.package === 'ntlm' || request.package === 'negotiate-ntlm';
  }

  /** Kerberos says all in its first token, NTLM in its second. */
  get complete(): boolean {
    return this.#tokens >= (this.#isNtlm ? 2 : 1);
  }

  async step(token: Uint8Array | null): Promise<Uint8Array | null> {
    if (this.#isBusy || this.#isDisposed) {
      throw new SallyportError(
        'SIGN_ON_FAILED',
        this.#isDisposed ? 'This sign-on was ended' : 'This sign-on has a call under way',
      );
    }
    this.#isBusy = true;
    try {
      const next = await (token === null ? this.#begin() : this.#continue(token));
      this.#tokens += next === null ? 0 : 1;
      return next;
    } finally {
      this.#isBusy = false;
      if (this.#isDisposed) {
        this.#free();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    if (!this.#isBusy) {
      this.#free();
    }
  }

  async #begin(): Promise<Uint8Array | null> {
    if (this.#target === NOTHING) {
      const { handle, principal, release } = await acquireCredential(this.#calls, this.#request);
      this.#credential = handle;
      this.#releaseCredential = release;
      this.principal = principal;
      this.#request = { ...this.#request, credentials: null };
      this.#target = importName(this.#calls, serviceName(this.#request.spn), this.#request);
    }
    const token = await this.#initiate(null);
    this.mechanism = this.#isNtlm ? 'NTLM' : 'Kerberos';
    this.principal ??= this.#calls.inquireCredential(this.#credential);
    return token === null || this.#request.package !== 'negotiate' ? token : firstToken(token);
  }

  #continue(answer: Uint8Array): Promise<Uint8Array | null> {
    if (answer.length > MAX_TOKEN_BYTES) {
      throw new SallyportError(
        'CHALLENGE_TOO_LARGE',
        `The server’s token has ${answer.length} bytes, more than 64 KiB`,
      );
    }
    if (this.#tokens === 0) {
      throw new SallyportError('SIGN_ON_FAILED', 'This sign-on has not begun');
    }
    if (this.#request.package === 'negotiate') {
      return this.#continueNegotiation(answer);
    }
    if (this.#established) {
      return Promise.resolve(null);
    }
    return this.#isNtlm ? this.#continueNtlm(answer) : this.#initiate(answer);
  }

  /** A fresh challenge behind the last token is a refusal, as is a plain one where SPNEGO was spoken. */
  async #continueNtlm(answer: Uint8Array): Promise<Uint8Array | null> {
    if (this.#request.package === 'ntlm') {
      checkNtlmChallenge(answer);
      return this.complete ? null : this.#initiate(answer);
    }
    const isRefusal = isNtlmMessage(answer) || !(await checkWrappedChallenge(answer));
    return isRefusal ? null : this.#initiate(answer);
  }

  async #continueNegotiation(bytes: Uint8Array): Promise<Uint8Array | null> {
    const answer = await readAnswer(bytes);
    if (answer === null) {
      return null;
    }
    const token =
      answer.token === null || this.#established ? null : await this.#initiate(answer.token);
    if (answer.mechListMic !== null && this.#established) {
      this.#check(this.#calls.verifyMic(this.#context, MECH_LIST, answer.mechListMic));
    }
    const mic = answer.wantsMic && this.#established ? this.#signMechList() : null;
    return token === null && mic === null ? null : laterToken(token, mic);
  }

  async #initiate(token: Uint8Array | null): Promise<Uint8Array | null> {
    const result = await this.#calls.initSecContext({
      credential: this.#credential,
      context: this.#context,
      target: this.#target,
      mechanism: MECHANISMS[this.#request.package],
      flags: this.#flags(),
      channelBindings: this.#request.channelBindings,
      token,
    });
    this.#context = result.context;
    this.#check(result.status);
    this.#note(result);
    return result.token;
  }

  #note({ complete, flags }: GssInitResult): void {
    this.#established = complete;
    this.serverProved = complete && (flags & GSS_FLAG.MUTUAL) !== 0;
    if (complete) {
      this.principal = this.#calls.inquireContext(this.#context).initiator ?? this.principal;
    }
  }

  /** NTLM proves no server and delegates nothing. */
  #flags(): number {
    if (this.#isNtlm) {
      return 0;
    }
    const { mutual, delegate } = this.#request;
    return (mutual ? GSS_FLAG.MUTUAL : 0) | (delegate ? GSS_FLAG.DELEGATE : 0);
  }

  #signMechList(): Uint8Array | null {
    const { status, mic } = this.#calls.getMic(this.#context, MECH_LIST);
    this.#check(status);
    return mic;
  }

  #check(status: GssStatus): void {
    if (isGssError(status)) {
      this.serverProved = false;
      const mechanism = MECHANISMS[this.#request.package];
      throw gssError(status, this.#calls.statusText(status, mechanism), {
        mechanism: this.#isNtlm ? 'NTLM' : 'Kerberos',
        spn: this.#request.spn,
        principal: this.principal,
        readsAnswer: this.#tokens > 0,
        hasCredential: this.#credential !== NOTHING,
      });
    }
  }

  #free(): void {
    this.#calls.deleteContext(this.#context);
    this.#releaseCredential();
    this.#releaseCredential = () => undefined;
    this.#calls.releaseName(this.#target);
    this.#context = NOTHING;
    this.#credential = NOTHING;
    this.#target = NOTHING;
    this.#request = { ...this.#request, credentials: null };
  }
}
