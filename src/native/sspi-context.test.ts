// What no library here does, by one that is written down: Windows' own ways with channel bindings and package lists,
// CompleteAuthToken, and calls that end after the context. Real memory, scripted answers.
import { describe, expect, it } from 'vitest';
import type { NativeFunction, NativeLibrary, NativeValue } from './ffi.ts';
import { copyFrom, NativeMemory, openLibrary } from './ffi.ts';
import type { ContextRequest } from './security-context.ts';
import type { SspiPackage } from './sspi-context.ts';
import { SspiContext } from './sspi-context.ts';
import { SEC, SspiLibrary } from './sspi-library.ts';
import { SECBUFFER, SSPI_STRUCT, sizeOf, unpack } from './sspi-structures.ts';

const MAX_TOKEN = 64;
const AP_REQUEST = Buffer.from('06092a864886f71201020201006e00', 'hex');
const NTLM_MESSAGE = Buffer.from('NTLMSSP\0\x01\0\0\0', 'latin1');

const REQUEST: ContextRequest = {
  package: 'negotiate',
  spn: 'HTTP/proxy.example',
  credentials: null,
  channelBindings: null,
  allowNtlm: true,
  mutual: false,
  delegate: false,
};

describe('SspiContext', () => {
  it('passes channel bindings with the first call and every other', async () => {
    const library = new ScriptedLibrary([
      { status: SEC.CONTINUE_NEEDED, token: AP_REQUEST },
      { status: SEC.OK, token: Buffer.alloc(0) },
    ]);
    using context = library.context({ channelBindings: Buffer.from('bound') });
    await context.step(null);
    await context.step(Buffer.from('answer'));
    const bindings = { type: 14, text: 'bound' };
    expect(library.inputs).toEqual([[bindings], [{ type: 2, text: 'answer' }, bindings]]);
  });

  it('goes on without early bindings where a library takes them later, and remembers', async () => {
    const library = new ScriptedLibrary([
      { status: SEC.INVALID_TOKEN },
      { status: SEC.CONTINUE_NEEDED, token: AP_REQUEST },
      { status: SEC.CONTINUE_NEEDED, token: AP_REQUEST },
    ]);
    for (const _turn of [1, 2]) {
      using context = library.context({ channelBindings: Buffer.from('bound') });
      await context.step(null);
    }
    expect(library.inputs).toEqual([[{ type: 14, text: 'bound' }], [], []]);
  });

  it('asks for nothing but what was wanted', async () => {
    const wanted = [{}, { mutual: true }, { mutual: true, delegate: true }, { delegate: true }];
    const flags: number[] = [];
    for (const request of wanted) {
      const library = new ScriptedLibrary([{ status: SEC.OK, token: AP_REQUEST }]);
      using context = library.context(request);
      await context.step(null);
      flags.push(library.flags);
    }
    expect(flags).toEqual([0, 2, 3, 3]);
  });

  it('keeps Negotiate from NTLM by the package list of Windows', async () => {
    const library = new ScriptedLibrary([{ status: SEC.OK, token: AP_REQUEST }]);
    using context = library.context({ allowNtlm: false });
    await context.step(null);
    expect(library.identity).toEqual({ user: '', domain: '', password: '', packageList: '!ntlm' });
  });

  it('hands a name and a password over', async () => {
    const library = new ScriptedLibrary([{ status: SEC.OK, token: AP_REQUEST }]);
    const credentials = { user: 'zoë', domain: 'CORP', password: 'Pä€' };
    using context = library.context({ credentials, allowNtlm: false });
    await context.step(null);
    expect(library.identity).toEqual({
      user: 'zoë',
      domain: 'CORP',
      password: 'Pä€',
      packageList: '!ntlm',
    });
    expect(library.calls).toEqual(['AcquireCredentialsHandleW', 'InitializeSecurityContextW']);
  });

  it('throws instead of giving an NTLM token away that is not allowed', async () => {
    const library = new ScriptedLibrary([{ status: SEC.CONTINUE_NEEDED, token: NTLM_MESSAGE }]);
    using context = library.context({ allowNtlm: false });
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_MISSING' });
    expect(library.calls.slice(-2)).toEqual(['DeleteSecurityContext', 'FreeCredentialsHandle']);
  });

  it.each([
    ['COMPLETE_NEEDED', SEC.COMPLETE_NEEDED, true],
    ['COMPLETE_AND_CONTINUE', SEC.COMPLETE_AND_CONTINUE, false],
    ['LOCAL_LOGON', SEC.LOCAL_LOGON, true],
    ['OK', SEC.OK, true],
    ['CONTINUE_NEEDED', SEC.CONTINUE_NEEDED, false],
  ])('is done or goes on as SEC_I_%s says', async (_name, status, complete) => {
    const library = new ScriptedLibrary([{ status, token: AP_REQUEST }]);
    using context = library.context({});
    expect(await context.step(null)).toEqual(AP_REQUEST);
    expect(context.complete).toBe(complete);
    const completes = status === SEC.COMPLETE_NEEDED || status === SEC.COMPLETE_AND_CONTINUE;
    expect(library.calls.includes('CompleteAuthToken')).toBe(completes);
  });

  it('believes a server only once its token was read', async () => {
    const mutualAuth = 2;
    const library = new ScriptedLibrary([
      { status: SEC.CONTINUE_NEEDED, token: AP_REQUEST, attributes: mutualAuth },
      { status: SEC.OK, token: Buffer.alloc(0), attributes: mutualAuth },
    ]);
    using context = library.context({ mutual: true });
    await context.step(null);
    expect(context).toMatchObject({ mechanism: 'Kerberos', serverProved: false });
    expect(await context.step(Buffer.from('proof'))).toBeNull();
    expect(context).toMatchObject({ complete: true, serverProved: true });
  });

  it('deletes no context that a failed first call did not make', async () => {
    const library = new ScriptedLibrary([{ status: 0x8009_0303 }]);
    using context = library.context({});
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SPN_UNKNOWN' });
    expect(library.calls.slice(-2)).toEqual([
      'InitializeSecurityContextW',
      'FreeCredentialsHandle',
    ]);
  });

  it('deletes the context when a later call fails', async () => {
    const library = new ScriptedLibrary([
      { status: SEC.CONTINUE_NEEDED, token: NTLM_MESSAGE },
      { status: 0x8009_0308 },
    ]);
    using context = library.context({});
    await context.step(null);
    const answer = context.step(Buffer.from('nonsense'));
    await expect(answer).rejects.toMatchObject({ code: 'CHALLENGE_INVALID' });
    expect(library.calls.slice(-2)).toEqual(['DeleteSecurityContext', 'FreeCredentialsHandle']);
  });

  it('frees nothing under a call that is still under way', async () => {
    const library = new ScriptedLibrary([{ status: SEC.CONTINUE_NEEDED, token: AP_REQUEST }]);
    const context = library.context({});
    const step = context.step(null);
    context[Symbol.dispose]();
    expect(library.calls).not.toContain('FreeCredentialsHandle');
    await step;
    expect(library.calls.slice(-2)).toEqual(['DeleteSecurityContext', 'FreeCredentialsHandle']);
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_FAILED' });
  });

  it('refuses a second call while one is under way, and calls out of turn', async () => {
    const library = new ScriptedLibrary([{ status: SEC.CONTINUE_NEEDED, token: AP_REQUEST }]);
    using context = library.context({});
    await expect(context.step(Buffer.from('x'))).rejects.toMatchObject({ code: 'SIGN_ON_FAILED' });
    const step = context.step(null);
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_FAILED' });
    await step;
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_FAILED' });
  });

  it('has nothing to say to what comes after its last token', async () => {
    const library = new ScriptedLibrary([{ status: SEC.OK, token: AP_REQUEST }]);
    using context = library.context({});
    await context.step(null);
    expect(await context.step(Buffer.from('more'))).toBeNull();
    expect(library.inputs).toHaveLength(1);
  });

  it('refuses a token of more than 64 KiB', async () => {
    const library = new ScriptedLibrary([{ status: SEC.CONTINUE_NEEDED, token: AP_REQUEST }]);
    using context = library.context({});
    await context.step(null);
    const step = context.step(Buffer.alloc(65_537));
    await expect(step).rejects.toMatchObject({ code: 'CHALLENGE_TOO_LARGE' });
  });
});

interface Leg {
  readonly status: number;
  readonly token?: Buffer;
  readonly attributes?: number;
}

/** A library whose InitializeSecurityContextW answers as written down. */
class ScriptedLibrary implements NativeLibrary {
  readonly name = 'scripted.dll';
  readonly calls: string[] = [];
  /** Of each InitializeSecurityContextW: its input buffers; channel bindings without their header. */
  readonly inputs: { type: number; text: string }[][] = [];
  identity: Record<string, string> = {};
  flags = -1;
  readonly #legs: Leg[];
  readonly #package: SspiPackage;

  constructor(legs: readonly Leg[]) {
    this.#legs = [...legs];
    this.#package = {
      library: new SspiLibrary(this),
      name: 'Negotiate',
      maxToken: MAX_TOKEN,
      readsPackageList: true,
      takesEarlyBindings: true,
    };
  }

  context(request: Partial<ContextRequest>): SspiContext {
    return new SspiContext(this.#package, { ...REQUEST, ...request });
  }

  find(name: string): NativeFunction {
    return this.require(name);
  }

  require(name: string): NativeFunction {
    const call = (...values: readonly NativeValue[]): number => {
      if (!name.startsWith('Query')) {
        this.calls.push(name);
      }
      return this.#answer(name, values.map(BigInt));
    };
    return {
      call,
      callAsync: async (...values) => {
        await Promise.resolve();
        return call(...values);
      },
    };
  }

  #answer(name: string, values: readonly bigint[]): number {
    if (name.startsWith('Query')) {
      return 0x8009_0302 | 0;
    }
    if (name === 'AcquireCredentialsHandleW') {
      this.#readIdentity(values[4] ?? 0n);
    }
    return name === 'InitializeSecurityContextW' ? this.#initialize(values) | 0 : SEC.OK;
  }

  #readIdentity(address: bigint): void {
    if (address === 0n) {
      return;
    }
    const size = sizeOf(SSPI_STRUCT.ExtendedIdentity);
    const members = unpack(SSPI_STRUCT.ExtendedIdentity, copyFrom(address, size));
    const read = (text: bigint, length: number) => copyFrom(text, length * 2).toString('utf16le');
    this.identity = {
      user: read(members.user, members.userLength),
      domain: read(members.domain, members.domainLength),
      password: read(members.password, members.passwordLength),
      packageList: read(members.packageList, members.packageListLength),
    };
  }

  #initialize(values: readonly bigint[]): number {
    const [flags = 0n, input = 0n, output = 0n] = [values[3], values[6], values[9]];
    this.flags = Number(flags);
    this.inputs.push(input === 0n ? [] : readBuffers(input).map(told));
    const { status, token = Buffer.alloc(0), attributes = 0 } = this.#legs.shift() ?? { status: 1 };
    const [buffer] = readBuffers(output);
    write(buffer?.address ?? 0n, token);
    write(buffer?.entry ?? 0n, Buffer.from(Uint32Array.of(token.length).buffer));
    write(values[10] ?? 0n, Buffer.from(Uint32Array.of(attributes).buffer));
    return status;
  }
}

interface ReadBuffer {
  /** Where the SecBuffer itself is; its length comes first. */
  readonly entry: bigint;
  readonly type: number;
  readonly address: bigint;
  readonly bytes: Buffer;
}

/** The buffers behind a SecBufferDesc. */
function readBuffers(address: bigint): ReadBuffer[] {
  const { SecBufferDesc, SecBuffer } = SSPI_STRUCT;
  const { count, buffers } = unpack(SecBufferDesc, copyFrom(address, sizeOf(SecBufferDesc)));
  return Array.from({ length: count }, (_, index) => {
    const entry = buffers + BigInt(index * sizeOf(SecBuffer));
    const buffer = unpack(SecBuffer, copyFrom(entry, sizeOf(SecBuffer)));
    const bytes = copyFrom(buffer.bytes, buffer.length);
    return { entry, type: buffer.type, address: buffer.bytes, bytes };
  });
}

function told({ type, bytes }: ReadBuffer): { type: number; text: string } {
  const channelBindingsHeader = type === SECBUFFER.CHANNEL_BINDINGS ? 32 : 0;
  return { type, text: bytes.toString('latin1', channelBindingsHeader) };
}

/** As a library writes into memory it was given. */
function write(address: bigint, bytes: Buffer): void {
  const library = openLibrary(['libc.so.6', 'libSystem.B.dylib', 'msvcrt.dll']);
  const copy = library.require('memcpy', 'pointer', ['pointer', 'pointer', 'usize']);
  using source = NativeMemory.of(bytes);
  copy.call(address, source.address, BigInt(bytes.length));
}
