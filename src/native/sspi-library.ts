// The calls of SSPI that are needed, with their memory: what goes in stays where it is until a call is over, what
// comes out is copied and freed. Owns no meaning of a status.
import type { NativeFunction, NativeLibrary, NativeType } from './ffi.ts';
import { copyFrom, NativeMemory } from './ffi.ts';
import type { BufferEntry } from './sspi-buffers.ts';
import { BufferList } from './sspi-buffers.ts';
import { SECBUFFER, SSPI_STRUCT, sizeOf, unpack } from './sspi-structures.ts';
import { readWindowsText } from './windows-text.ts';

/** A call that came back: its status is unsigned. */
export interface SspiStatus {
  readonly call: string;
  readonly status: number;
}

export interface InitializeInput {
  readonly credential: NativeMemory;
  readonly context: NativeMemory;
  /** Whether `context` is yet to be made. */
  readonly isFirst: boolean;
  readonly target: NativeMemory;
  readonly flags: number;
  readonly token: Uint8Array | null;
  readonly channelBindings: NativeMemory | null;
  /** In bytes: the package's cbMaxToken. */
  readonly maxToken: number;
}

export interface InitializeResult extends SspiStatus {
  readonly token: Buffer;
  /** ISC_RET_... */
  readonly attributes: number;
}

export const SEC = {
  OK: 0,
  CONTINUE_NEEDED: 0x0009_0312,
  COMPLETE_NEEDED: 0x0009_0313,
  COMPLETE_AND_CONTINUE: 0x0009_0314,
  LOCAL_LOGON: 0x0009_0315,
  UNSUPPORTED_FUNCTION: 0x8009_0302,
  INVALID_TOKEN: 0x8009_0308,
} as const;

const SECPKG_CRED_OUTBOUND = 2;
const SECURITY_NATIVE_DREP = 0x10;
const ATTRIBUTE_NAMES = 1;
const ATTRIBUTE_PACKAGE_INFO = 10;
const ATTRIBUTE_NEGOTIATION_INFO = 12;

const SIGNATURES = {
  AcquireCredentialsHandleW: [
    ...(['pointer', 'pointer', 'u32', 'pointer', 'pointer', 'pointer', 'pointer'] as const),
    ...(['pointer', 'pointer'] as const),
  ],
  FreeCredentialsHandle: ['pointer'],
  InitializeSecurityContextW: [
    ...(['pointer', 'pointer', 'pointer', 'u32', 'u32', 'u32', 'pointer', 'u32'] as const),
    ...(['pointer', 'pointer', 'pointer', 'pointer'] as const),
  ],
  CompleteAuthToken: ['pointer', 'pointer'],
  DeleteSecurityContext: ['pointer'],
  QueryContextAttributesW: ['pointer', 'u32', 'pointer'],
  QueryCredentialsAttributesW: ['pointer', 'u32', 'pointer'],
  QuerySecurityPackageInfoW: ['pointer', 'pointer'],
  FreeContextBuffer: ['pointer'],
} as const satisfies Readonly<Record<string, readonly NativeType[]>>;
type SspiFunction = keyof typeof SIGNATURES;

/** The functions of one library; calls that may ask a domain controller run off the main thread. */
export class SspiLibrary {
  readonly name: string;
  readonly #functions: Readonly<Record<SspiFunction, NativeFunction>>;

  /** @throws SallyportError SIGN_ON_UNAVAILABLE when it lacks a function */
  constructor(library: NativeLibrary) {
    this.name = library.name;
    const entries = Object.entries(SIGNATURES).map(
      ([name, parameters]) => [name, library.require(name, 'i32', parameters)] as const,
    );
    this.#functions = Object.fromEntries(entries) as Record<SspiFunction, NativeFunction>;
  }

  /** The longest token a package makes, in bytes; `null` where the library has no such package. */
  maxTokenOf(packageName: string): number | null {
    const name = NativeMemory.utf16(packageName);
    const found = new NativeMemory(sizeOf(SSPI_STRUCT.Pointer));
    try {
      const { status } = this.#call('QuerySecurityPackageInfoW', name.address, found.address);
      const address = unpack(SSPI_STRUCT.Pointer, found.bytes).address;
      if (status !== SEC.OK || address === 0n) {
        return null;
      }
      const { maxToken } = readPackageInfo(address);
      this.#call('FreeContextBuffer', address);
      return maxToken;
    } finally {
      name.free();
      found.free();
    }
  }

  /** @param identity a structure whose texts stay alive meanwhile, or a null pointer for the signed-in user */
  async acquireCredentials(
    packageName: string,
    identity: bigint,
    credential: NativeMemory,
  ): Promise<SspiStatus> {
    const name = NativeMemory.utf16(packageName);
    const expiry = new NativeMemory(8);
    try {
      return await this.#callAsync(
        'AcquireCredentialsHandleW',
        ...[0n, name.address, SECPKG_CRED_OUTBOUND, 0n, identity, 0n, 0n],
        ...[credential.address, expiry.address],
      );
    } finally {
      name.free();
      expiry.free();
    }
  }

  /** One leg; CompleteAuthToken, where the package asks for it, is part of it. */
  async initializeContext(input: InitializeInput): Promise<InitializeResult> {
    const { context } = input;
    const token = new NativeMemory(input.maxToken);
    const output = new BufferList([{ type: SECBUFFER.TOKEN, memory: token }]);
    const received = input.token === null ? null : NativeMemory.of(input.token);
    const buffers = inputBuffers(input, received);
    const inputList = buffers.length === 0 ? null : new BufferList(buffers);
    const results = new NativeMemory(16);
    try {
      const initialized = await this.#callAsync(
        'InitializeSecurityContextW',
        ...[input.credential.address, input.isFirst ? 0n : context.address, input.target.address],
        ...[input.flags, 0, SECURITY_NATIVE_DREP, inputList?.address ?? 0n, 0],
        ...[context.address, output.address, results.address, results.address + 8n],
      );
      const done = this.#completeToken(initialized, context, output);
      const length = Math.min(output.lengthOf(0), input.maxToken);
      return {
        ...done,
        token: Buffer.from(token.bytes.subarray(0, isFailure(done.status) ? 0 : length)),
        attributes: results.bytes.readUInt32LE(0),
      };
    } finally {
      for (const memory of [token, output, received, inputList, results]) {
        memory?.free();
      }
    }
  }

  /** `Kerberos`, `NTLM`, or `Negotiate` while it has not chosen; `null` where the library does not tell. */
  packageAtWork(context: NativeMemory): string | null {
    const info = new NativeMemory(sizeOf(SSPI_STRUCT.NegotiationInfo));
    try {
      for (const attribute of [ATTRIBUTE_NEGOTIATION_INFO, ATTRIBUTE_PACKAGE_INFO]) {
        const answer = [context.address, attribute, info.address] as const;
        const { status } = this.#call('QueryContextAttributesW', ...answer);
        const { packageInfo } = unpack(SSPI_STRUCT.NegotiationInfo, info.bytes);
        if (status === SEC.OK && packageInfo !== 0n) {
          const name = readWindowsText(readPackageInfo(packageInfo).name);
          this.#call('FreeContextBuffer', packageInfo);
          return name ?? null;
        }
      }
      return null;
    } finally {
      info.free();
    }
  }

  /** The user of a context; `null` where it is not told. */
  userOfContext(context: NativeMemory): string | null {
    return this.#name('QueryContextAttributesW', context);
  }

  /** The user of credentials; `null` where it is not told. */
  userOfCredential(credential: NativeMemory): string | null {
    return this.#name('QueryCredentialsAttributesW', credential);
  }

  deleteContext(context: NativeMemory): void {
    this.#call('DeleteSecurityContext', context.address);
  }

  freeCredentials(credential: NativeMemory): void {
    this.#call('FreeCredentialsHandle', credential.address);
  }

  #name(
    query: 'QueryContextAttributesW' | 'QueryCredentialsAttributesW',
    handle: NativeMemory,
  ): string | null {
    const names = new NativeMemory(sizeOf(SSPI_STRUCT.Pointer));
    try {
      const { status } = this.#call(query, handle.address, ATTRIBUTE_NAMES, names.address);
      const { address } = unpack(SSPI_STRUCT.Pointer, names.bytes);
      // WinPR says OK and writes nothing.
      if (status !== SEC.OK || address === 0n) {
        return null;
      }
      const name = readWindowsText(address);
      this.#call('FreeContextBuffer', address);
      return name === undefined || name === '' ? null : name;
    } finally {
      names.free();
    }
  }

  #completeToken(done: SspiStatus, context: NativeMemory, output: BufferList): SspiStatus {
    if (done.status !== SEC.COMPLETE_NEEDED && done.status !== SEC.COMPLETE_AND_CONTINUE) {
      return done;
    }
    const completed = this.#call('CompleteAuthToken', context.address, output.address);
    if (isFailure(completed.status)) {
      return completed;
    }
    const goesOn = done.status === SEC.COMPLETE_AND_CONTINUE;
    return { ...done, status: goesOn ? SEC.CONTINUE_NEEDED : SEC.OK };
  }

  #call(name: SspiFunction, ...values: readonly (number | bigint)[]): SspiStatus {
    return { call: name, status: Number(this.#functions[name].call(...values)) >>> 0 };
  }

  async #callAsync(
    name: SspiFunction,
    ...values: readonly (number | bigint)[]
  ): Promise<SspiStatus> {
    const status = Number(await this.#functions[name].callAsync(...values)) >>> 0;
    return { call: name, status };
  }
}

/** SSPI's errors have the highest bit, as every HRESULT. */
export function isFailure(status: number): boolean {
  return status >= 0x8000_0000;
}

function inputBuffers(
  { channelBindings }: InitializeInput,
  received: NativeMemory | null,
): BufferEntry[] {
  return [
    ...(received === null ? [] : [{ type: SECBUFFER.TOKEN, memory: received }]),
    ...(channelBindings === null
      ? []
      : [{ type: SECBUFFER.CHANNEL_BINDINGS, memory: channelBindings }]),
  ];
}

function readPackageInfo(address: bigint) {
  return unpack(SSPI_STRUCT.PackageInfo, copyFrom(address, sizeOf(SSPI_STRUCT.PackageInfo)));
}
