// The FFI wall: the sole importer of koffi. Owns loading it and the system's libraries, native memory, and the threads
// blocking calls run on. Knows no library's meaning: structures are laid out by hand in `NativeMemory` by who owns them.
import { createRequire } from 'node:module';
import { SallyportError } from '../errors/sallyport-error.ts';

/** What may stand in a signature. `usize` and `pointer` are BigInt on this side, the others numbers. */
export type NativeType = 'void' | 'i32' | 'u32' | 'i64' | 'usize' | 'pointer';
export type NativeValue = number | bigint;

export interface NativeFunction {
  /** On this thread: for calls that never wait. */
  call(...values: readonly NativeValue[]): NativeValue;
  /**
   * On a thread of the pool, for calls that may wait for a network; memory that is passed MUST stay
   * allocated until the promise settles.
   */
  callAsync(...values: readonly NativeValue[]): Promise<NativeValue>;
}

export interface NativeLibrary {
  /** As it was opened: a name the loader knows, or a path. */
  readonly name: string;
  /** `undefined` where this version of the library lacks the function. */
  find(
    name: string,
    result: NativeType,
    parameters: readonly NativeType[],
  ): NativeFunction | undefined;
  /** @throws SallyportError SIGN_ON_UNAVAILABLE */
  require(name: string, result: NativeType, parameters: readonly NativeType[]): NativeFunction;
}

/** Bytes of a pointer here; ia32 Windows has Node builds up to 22. */
export const POINTER_BYTES: number = ['ia32', 'arm', 'mips', 'mipsel'].includes(process.arch)
  ? 4
  : 8;

/** The C library, which every process has loaded; Windows has no such thing. */
export const C_LIBRARY: readonly string[] =
  process.platform === 'darwin' ? ['/usr/lib/libSystem.B.dylib'] : ['libc.so.6', 'libc.so'];

/**
 * Calls that may be under way at once. koffi runs them on libuv's pool of 4 threads (seen: 4 calls that wait hold up
 * every file access and DNS lookup of the process), so half of it stays free.
 */
const MAX_PARALLEL_CALLS = 2;

const KOFFI_VERSION = '3.3.4';
const KOFFI_TYPES: Readonly<Record<NativeType, string>> = {
  void: 'void',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
  usize: 'uintptr_t',
  pointer: 'void *',
};

/** The part of koffi that is used; its own declarations are `any` throughout. */
interface Koffi {
  readonly version: string;
  load(path: string): KoffiLibrary;
  alloc(type: string, length: number): unknown;
  free(pointer: unknown): void;
  address(pointer: unknown): bigint;
  view(pointer: unknown, bytes: number): ArrayBuffer;
}
interface KoffiLibrary {
  func(convention: string, name: string, result: string, parameters: string[]): KoffiFunction;
}
interface KoffiFunction {
  (...values: unknown[]): unknown;
  async(...values: unknown[]): void;
}

let loaded: Koffi | undefined;

/**
 * Opens the first library of the list that can be loaded. A name without a folder is looked for where the
 * system keeps its libraries, on Windows in the system folder only; never in the working directory.
 *
 * @throws SallyportError SIGN_ON_UNAVAILABLE when there is no FFI here, or none of them can be loaded
 */
export function openLibrary(names: readonly string[]): NativeLibrary {
  const koffi = loadKoffi();
  let cause: unknown;
  for (const name of names) {
    try {
      return wrapLibrary(name, koffi.load(inSystemFolder(koffi, name)));
    } catch (error) {
      cause = error;
    }
  }
  throw new SallyportError(
    'SIGN_ON_UNAVAILABLE',
    `None of the system libraries ${names.join(', ')} can be loaded`,
    { cause },
  );
}

/** Memory outside V8: its address holds until `free`, which wipes it first. */
export class NativeMemory implements Disposable {
  readonly address: bigint;
  readonly bytes: Buffer;
  #pointer: unknown;

  /** @param size in bytes, at least 1; zeroed */
  constructor(size: number) {
    const koffi = loadKoffi();
    this.#pointer = koffi.alloc('uint8_t', size);
    this.address = koffi.address(this.#pointer);
    this.bytes = Buffer.from(koffi.view(this.#pointer, size));
    this.bytes.fill(0);
  }

  /** A copy of bytes outside V8; of nothing, one zero byte. */
  static of(bytes: Uint8Array): NativeMemory {
    const memory = new NativeMemory(Math.max(bytes.length, 1));
    memory.bytes.set(bytes);
    return memory;
  }

  /** UTF-16LE with a closing NUL, as the W functions of Windows want it. */
  static utf16(text: string): NativeMemory {
    return NativeMemory.of(Buffer.from(`${text}\0`, 'utf16le'));
  }

  free(): void {
    if (this.#pointer !== undefined) {
      this.bytes.fill(0);
      loadKoffi().free(this.#pointer);
      this.#pointer = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

/** Copies bytes from an address a library gave. */
export function copyFrom(address: bigint, length: number): Buffer {
  return length === 0
    ? Buffer.alloc(0)
    : Buffer.from(Buffer.from(loadKoffi().view(address, length)));
}

export function writePointer(bytes: Buffer, address: bigint, offset: number): void {
  if (POINTER_BYTES === 4) {
    bytes.writeUInt32LE(Number(address), offset);
  } else {
    bytes.writeBigUInt64LE(address, offset);
  }
}

export function readPointer(bytes: Buffer, offset: number): bigint {
  return POINTER_BYTES === 4 ? BigInt(bytes.readUInt32LE(offset)) : bytes.readBigUInt64LE(offset);
}

/**
 * koffi's package for this platform: a prebuilt library without install script, an optional dependency.
 *
 * @throws SallyportError SIGN_ON_UNAVAILABLE
 */
function loadKoffi(): Koffi {
  if (loaded !== undefined) {
    return loaded;
  }
  const name = `@koromix/koffi-${process.platform}-${process.arch}`;
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)(name) as Koffi;
  } catch (cause) {
    throw unavailable(name, cause);
  }
  if (koffi.version !== KOFFI_VERSION) {
    throw new SallyportError(
      'SIGN_ON_UNAVAILABLE',
      `The package ${name} has version ${koffi.version} where ${KOFFI_VERSION} is needed`,
      { hint: 'Install Sallyport again.' },
    );
  }
  loaded = koffi;
  return koffi;
}

function unavailable(name: string, cause: unknown): SallyportError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_ACCESS_DENIED') {
    return new SallyportError(
      'SIGN_ON_UNAVAILABLE',
      'Node’s permission model forbids native code, which the operating system’s sign-on needs',
      { cause, hint: 'Start node with --allow-addons, or give a name and a password.' },
    );
  }
  if (code === 'MODULE_NOT_FOUND') {
    return new SallyportError(
      'SIGN_ON_UNAVAILABLE',
      `The optional package ${name} is not installed, which the operating system’s sign-on needs`,
      {
        cause,
        hint: 'Install Sallyport without --omit=optional, on a platform it has that package for; or give a name and a password.',
      },
    );
  }
  return new SallyportError('SIGN_ON_UNAVAILABLE', `The package ${name} cannot be loaded`, {
    cause,
    hint: 'Give a name and a password instead.',
  });
}

function wrapLibrary(name: string, library: KoffiLibrary): NativeLibrary {
  const find: NativeLibrary['find'] = (symbol, result, parameters) => {
    try {
      const types = parameters.map((type) => KOFFI_TYPES[type]);
      return wrapFunction(library.func('__stdcall', symbol, KOFFI_TYPES[result], types), result);
    } catch {
      return undefined;
    }
  };
  return {
    name,
    find,
    require: (symbol, result, parameters) => {
      const found = find(symbol, result, parameters);
      if (found === undefined) {
        throw new SallyportError('SIGN_ON_UNAVAILABLE', `${name} has no function ${symbol}`);
      }
      return found;
    },
  };
}

function wrapFunction(native: KoffiFunction, result: NativeType): NativeFunction {
  /** koffi answers with a number where it fits, whatever the type. */
  const value = (answer: unknown): NativeValue =>
    result === 'usize' || result === 'pointer' || result === 'i64'
      ? BigInt((answer ?? 0) as NativeValue)
      : Number(answer ?? 0);
  return {
    call: (...values) => value(native(...values)),
    callAsync: async (...values) => {
      await enterPool();
      try {
        return await new Promise<NativeValue>((resolve, reject) => {
          native.async(...values, (error: unknown, answer: unknown) =>
            error ? reject(error) : resolve(value(answer)),
          );
        });
      } finally {
        leavePool();
      }
    },
  };
}

let callsUnderWay = 0;
const waitingCalls: (() => void)[] = [];

async function enterPool(): Promise<void> {
  if (callsUnderWay < MAX_PARALLEL_CALLS) {
    callsUnderWay += 1;
    return;
  }
  await new Promise<void>((resolve) => waitingCalls.push(resolve));
}

function leavePool(): void {
  const next = waitingCalls.shift();
  if (next === undefined) {
    callsUnderWay -= 1;
  } else {
    next();
  }
}

/** Native calls that have not come back: a process that ends waits for them (a KDC that is silent takes 30 s). */
export function hasNativeCallsUnderWay(): boolean {
  return callsUnderWay > 0;
}

/**
 * Ends the process although native calls are under way. `process.exit()` would wait for them: `exit()` joins libuv's threads
 * (seen: 17 s behind a domain controller that is silent). Only for whoever has nothing left to write.
 */
export function exitWithoutWaiting(code: number): void {
  if (process.platform === 'win32') {
    process.exit(code);
  }
  // `_exit` does not: who listens has something to put in order, such as a verdict on its way to a file.
  process.emit('exit', code);
  try {
    openLibrary(C_LIBRARY).require('_exit', 'void', ['i32']).call(code);
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
}

/** A bare DLL name would be looked for beside the program and in the working directory, too. */
function inSystemFolder(koffi: Koffi, name: string): string {
  if (process.platform !== 'win32' || /[\\/]/.test(name)) {
    return name;
  }
  const capacity = 260;
  const path = new NativeMemory(capacity * 2);
  try {
    const kernel = wrapLibrary('kernel32.dll', koffi.load('kernel32.dll'));
    const directory = kernel.require('GetSystemDirectoryW', 'u32', ['pointer', 'u32']);
    const length = Number(directory.call(path.address, capacity));
    return `${path.bytes.toString('utf16le', 0, length * 2)}\\${name}`;
  } finally {
    path.free();
  }
}
