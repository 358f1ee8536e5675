// The server's half of SSPI, for tests: accepts tokens by secur32.dll (Wine's asks winbind) or by WinPR, which is told
// the one password it shall accept. Owns the calls the product has no use for.
import type { NativeFunction } from '../../src/native/ffi.ts';
import { NativeMemory, openLibrary } from '../../src/native/ffi.ts';
import { BufferList } from '../../src/native/sspi-buffers.ts';
import { isFailure, SEC } from '../../src/native/sspi-library.ts';
import { SECBUFFER, SSPI_STRUCT, sizeOf } from '../../src/native/sspi-structures.ts';

const SECPKG_CRED_INBOUND = 1;
const SECURITY_NATIVE_DREP = 0x10;
const MAX_TOKEN = 16_384;
/** WinPR's own: SecPkgContext_AuthNtlmHash is a version and an NT hash, SecPkgContext_AuthIdentity two texts. */
const ATTRIBUTE_AUTH_IDENTITY = 1001;
const ATTRIBUTE_AUTH_NTLM_HASH = 1003;
const NT_HASH_VERSION = 1;
const IDENTITY_TEXT_BYTES = 257;

export interface SspiAcceptorAnswer {
  /** For the initiator; `null` for nothing. */
  readonly token: Uint8Array | null;
  readonly done: boolean;
  /** `DOMAIN\user`, once done, where the library tells. */
  readonly initiator: string | null;
}

/** What the library said no to. */
class SspiAcceptorError extends Error {
  readonly call: string;
  /** Unsigned. */
  readonly status: number;

  constructor(call: string, status: number) {
    super(`${call}: 0x${status.toString(16)}`);
    this.call = call;
    this.status = status;
  }
}

/** One sign-on, seen from the server. */
export class SspiAcceptor implements Disposable {
  readonly #library;
  readonly #ntHash: Uint8Array | null;
  readonly #credential = new NativeMemory(sizeOf(SSPI_STRUCT.SecHandle));
  readonly #context = new NativeMemory(sizeOf(SSPI_STRUCT.SecHandle));
  #hasContext = false;

  /**
   * @param ntHash of the password to accept, for WinPR
   * @throws SspiAcceptorError
   */
  constructor(
    library: string,
    packageName: 'NTLM' | 'Negotiate' | 'Kerberos',
    ntHash: Uint8Array | null,
  ) {
    this.#library = openLibrary([library]);
    this.#ntHash = ntHash;
    using name = NativeMemory.utf16(packageName);
    using expiry = new NativeMemory(8);
    this.#check(
      'AcquireCredentialsHandleW',
      ...[0n, name.address, SECPKG_CRED_INBOUND, 0n, 0n, 0n, 0n],
      ...[this.#credential.address, expiry.address],
    );
  }

  /** @throws SspiAcceptorError */
  async accept(bytes: Uint8Array): Promise<SspiAcceptorAnswer> {
    using received = NativeMemory.of(bytes);
    using reply = new NativeMemory(MAX_TOKEN);
    const input = new BufferList([{ type: SECBUFFER.TOKEN, memory: received }]);
    const output = new BufferList([{ type: SECBUFFER.TOKEN, memory: reply }]);
    using results = new NativeMemory(16);
    try {
      const status = await this.#checkAsync(
        'AcceptSecurityContext',
        ...[this.#credential.address, this.#hasContext ? this.#context.address : 0n],
        ...[input.address, 0, SECURITY_NATIVE_DREP, this.#context.address, output.address],
        ...[results.address, results.address + 8n],
      );
      this.#hasContext = true;
      if (status === SEC.COMPLETE_NEEDED || status === SEC.COMPLETE_AND_CONTINUE) {
        this.#check('CompleteAuthToken', this.#context.address, output.address);
      }
      const goesOn = status === SEC.CONTINUE_NEEDED || status === SEC.COMPLETE_AND_CONTINUE;
      if (goesOn) {
        this.#tellHash();
      }
      const token = Buffer.from(reply.bytes.subarray(0, output.lengthOf(0)));
      return {
        token: token.length === 0 ? null : token,
        done: !goesOn,
        initiator: goesOn ? null : this.#initiator(),
      };
    } finally {
      input.free();
      output.free();
    }
  }

  [Symbol.dispose](): void {
    if (this.#hasContext) {
      this.#call('DeleteSecurityContext', this.#context.address);
    }
    this.#call('FreeCredentialsHandle', this.#credential.address);
    this.#context.free();
    this.#credential.free();
  }

  #tellHash(): void {
    if (this.#ntHash === null) {
      return;
    }
    using hash = NativeMemory.of(
      Buffer.concat([Uint8Array.of(NT_HASH_VERSION, 0, 0, 0), this.#ntHash]),
    );
    this.#check(
      'SetContextAttributesW',
      ...[this.#context.address, ATTRIBUTE_AUTH_NTLM_HASH, hash.address, hash.bytes.length],
    );
  }

  #initiator(): string | null {
    if (this.#ntHash === null) {
      return null;
    }
    using identity = new NativeMemory(2 * IDENTITY_TEXT_BYTES);
    const query = [this.#context.address, ATTRIBUTE_AUTH_IDENTITY, identity.address] as const;
    this.#check('QueryContextAttributesW', ...query);
    const text = (at: number): string =>
      identity.bytes.subarray(at, identity.bytes.indexOf(0, at)).toString('utf8');
    return `${text(IDENTITY_TEXT_BYTES)}\\${text(0)}`;
  }

  #check(name: string, ...values: readonly (number | bigint)[]): number {
    return judge(name, this.#call(name, ...values));
  }

  async #checkAsync(name: string, ...values: readonly (number | bigint)[]): Promise<number> {
    return judge(name, Number(await this.#function(name, values).callAsync(...values)) >>> 0);
  }

  #call(name: string, ...values: readonly (number | bigint)[]): number {
    return Number(this.#function(name, values).call(...values)) >>> 0;
  }

  /** Pointers are BigInt, the numbers of SSPI 32 bits wide. */
  #function(name: string, values: readonly (number | bigint)[]): NativeFunction {
    const types = values.map((value) => (typeof value === 'bigint' ? 'pointer' : 'u32'));
    return this.#library.require(name, 'i32', types);
  }
}

function judge(name: string, status: number): number {
  if (isFailure(status)) {
    throw new SspiAcceptorError(name, status);
  }
  return status;
}
