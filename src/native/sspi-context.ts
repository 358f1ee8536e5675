// One sign-on by SSPI. Owns the order of its calls, its handles and their end; how tokens are made is the library's.
import { SallyportError } from '../errors/sallyport-error.ts';
import { carriesNtlm } from '../ntlm/ntlm-message.ts';
import { NativeMemory } from './ffi.ts';
import type { ContextMechanism, ContextRequest, SecurityContext } from './security-context.ts';
import { acquireSspiCredentials } from './sspi-credentials.ts';
import type { InitializeResult, SspiLibrary } from './sspi-library.ts';
import { isFailure, SEC } from './sspi-library.ts';
import { sspiError } from './sspi-status.ts';
import { packChannelBindings, SSPI_STRUCT, sizeOf } from './sspi-structures.ts';

const MAX_TOKEN_BYTES = 64 * 1024;
const FLAG = { DELEGATE: 0x1, MUTUAL_AUTH: 0x2 } as const;
/** 1.2.840.113554.1.2.2 in DER, and the id of an AP-REQ behind it (RFC 4121 section 4.1). */
const KERBEROS_REQUEST = Buffer.from('06092a864886f7120102020100', 'hex');
/** What Wine and WinPR say to a first call that has channel bindings and no token. */
const DISLIKES_EARLY_BINDINGS: readonly number[] = [SEC.INVALID_TOKEN, SEC.UNSUPPORTED_FUNCTION];

/** One package of a library, and what was learned about it. */
export interface SspiPackage {
  readonly library: SspiLibrary;
  readonly name: 'Negotiate' | 'Kerberos' | 'NTLM';
  readonly maxToken: number;
  /** Whether SEC_WINNT_AUTH_IDENTITY_EXW is read as such. */
  readonly readsPackageList: boolean;
  /** Windows takes channel bindings with the first call; Wine and WinPR with later ones only. */
  takesEarlyBindings: boolean;
}

export class SspiContext implements SecurityContext {
  complete = false;
  mechanism: ContextMechanism | null = null;
  serverProved = false;
  principal: string | null = null;
  readonly #package: SspiPackage;
  /** Without the password once there are credentials. */
  #request: ContextRequest;
  #target: NativeMemory | null = null;
  #bindings: NativeMemory | null = null;
  #credential: NativeMemory | null = null;
  #context: NativeMemory | null = null;
  #isBusy = false;
  #isDisposed = false;

  constructor(securityPackage: SspiPackage, request: ContextRequest) {
    this.#package = securityPackage;
    this.#request = request;
  }

  async step(token: Uint8Array | null): Promise<Uint8Array | null> {
    this.#refuseMisuse(token);
    if (this.complete) {
      return null;
    }
    this.#isBusy = true;
    try {
      return await this.#advance(token);
    } catch (error) {
      this.#free();
      this.#isDisposed = true;
      throw error;
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

  async #advance(token: Uint8Array | null): Promise<Uint8Array | null> {
    const isFirst = this.#context === null;
    if (this.#credential === null) {
      await this.#acquire();
    }
    const result = await this.#initialize(isFirst, token);
    if (isFailure(result.status)) {
      throw sspiError(result, {
        spn: this.#request.spn,
        mechanism: this.mechanism,
        readsAnswer: token !== null,
      });
    }
    this.#note(result, isFirst);
    return result.token.length === 0 ? null : result.token;
  }

  async #acquire(): Promise<void> {
    const { library, name, readsPackageList } = this.#package;
    const credential = new NativeMemory(sizeOf(SSPI_STRUCT.SecHandle));
    const request = this.#request;
    this.#request = { ...request, credentials: null };
    const done = await acquireSspiCredentials(library, name, request, readsPackageList, credential);
    if (done.status !== SEC.OK) {
      credential.free();
      throw sspiError(done, { spn: request.spn, mechanism: null, readsAnswer: false });
    }
    this.#credential = credential;
    this.#target = NativeMemory.utf16(request.spn);
    if (request.channelBindings !== null) {
      this.#bindings = NativeMemory.of(packChannelBindings(request.channelBindings));
    }
  }

  async #initialize(isFirst: boolean, token: Uint8Array | null): Promise<InitializeResult> {
    const { library, maxToken } = this.#package;
    const [credential, target] = [this.#credential, this.#target];
    if (credential === null || target === null) {
      throw new SallyportError('SIGN_ON_FAILED', 'This sign-on has no credentials');
    }
    const context = this.#context ?? new NativeMemory(sizeOf(SSPI_STRUCT.SecHandle));
    const call = { credential, context, isFirst, target, flags: this.#flags(), token, maxToken };
    const withBindings = !isFirst || this.#package.takesEarlyBindings;
    const channelBindings = withBindings ? this.#bindings : null;
    let result = await library.initializeContext({ ...call, channelBindings });
    if (isFirst && channelBindings !== null && DISLIKES_EARLY_BINDINGS.includes(result.status)) {
      this.#package.takesEarlyBindings = false;
      context.bytes.fill(0);
      result = await library.initializeContext({ ...call, channelBindings: null });
    }
    if (isFirst && isFailure(result.status)) {
      context.free(); // there is no context behind it
    } else {
      this.#context = context;
    }
    return result;
  }

  /** The library's flags are nothing but what was asked for: 0 for plain HTTP, as browsers have it. */
  #flags(): number {
    const { mutual, delegate } = this.#request;
    if (this.#package.name === 'NTLM') {
      return 0;
    }
    return (mutual || delegate ? FLAG.MUTUAL_AUTH : 0) | (delegate ? FLAG.DELEGATE : 0);
  }

  #note(result: InitializeResult, isFirst: boolean): void {
    const { library } = this.#package;
    this.mechanism = this.#mechanismOf(result.token) ?? this.mechanism;
    if (this.mechanism === 'NTLM' && !this.#request.allowNtlm) {
      throw offersOnlyNtlm(this.#request.spn);
    }
    this.complete = result.status !== SEC.CONTINUE_NEEDED;
    this.serverProved =
      this.complete &&
      !isFirst &&
      this.mechanism === 'Kerberos' &&
      (result.attributes & FLAG.MUTUAL_AUTH) !== 0;
    if (this.#context !== null && this.#credential !== null) {
      this.principal =
        library.userOfContext(this.#context) ??
        this.principal ??
        library.userOfCredential(this.#credential);
    }
  }

  /** What leaves is believed more than what the library tells. */
  #mechanismOf(token: Buffer): ContextMechanism | null {
    if (this.#package.name !== 'Negotiate') {
      return this.#package.name;
    }
    if (carriesNtlm(token)) {
      return 'NTLM';
    }
    const told = this.#context === null ? null : this.#package.library.packageAtWork(this.#context);
    if (told === 'Kerberos' || told === 'NTLM') {
      return told;
    }
    return token.includes(KERBEROS_REQUEST) ? 'Kerberos' : null;
  }

  #refuseMisuse(token: Uint8Array | null): void {
    if (this.#isBusy || this.#isDisposed) {
      throw new SallyportError(
        'SIGN_ON_FAILED',
        this.#isDisposed ? 'This sign-on was ended' : 'This sign-on has a call under way',
      );
    }
    if ((this.#context === null) !== (token === null)) {
      throw new SallyportError(
        'SIGN_ON_FAILED',
        token === null ? 'This sign-on waits for a challenge' : 'This sign-on has not begun',
      );
    }
    if (token !== null && token.length > MAX_TOKEN_BYTES) {
      throw new SallyportError(
        'CHALLENGE_TOO_LARGE',
        `The server’s token has ${token.length} bytes, more than 64 KiB`,
      );
    }
  }

  #free(): void {
    const { library } = this.#package;
    if (this.#context !== null) {
      library.deleteContext(this.#context);
    }
    if (this.#credential !== null) {
      library.freeCredentials(this.#credential);
    }
    for (const memory of [this.#context, this.#credential, this.#target, this.#bindings]) {
      memory?.free();
    }
    this.#context = null;
    this.#credential = null;
    this.#target = null;
    this.#bindings = null;
  }
}

function offersOnlyNtlm(spn: string): SallyportError {
  return new SallyportError(
    'SIGN_ON_MISSING',
    `There is no Kerberos ticket for ${spn}, and NTLM is not allowed`,
    { hint: 'Sign in to the domain, name the proxy by its full host name, or allow NTLM.' },
  );
}
