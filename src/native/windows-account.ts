// The account a Windows process runs as. Owns tokens and SIDs; which account may do what is decided above.
import type { NativeFunction } from './ffi.ts';
import { copyFrom, NativeMemory, openLibrary, POINTER_BYTES, readPointer } from './ffi.ts';

const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const TOKEN_QUERY = 0x8;
const TOKEN_USER = 1;
/** TOKEN_USER and the longest SID, 68 bytes. */
const USER_BYTES = 128;

interface Functions {
  readonly currentProcess: NativeFunction;
  readonly openProcess: NativeFunction;
  readonly openToken: NativeFunction;
  readonly tokenInformation: NativeFunction;
  readonly closeHandle: NativeFunction;
}

let functions: Functions | undefined;

/**
 * The SID of the user whose token a process has, such as `S-1-5-21-...-1001`. What another user runs may not be asked.
 *
 * @returns `null` when Windows does not tell
 * @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI
 */
export function userOfProcess(pid: number | 'own'): string | null {
  const { currentProcess, openProcess, closeHandle } = load();
  if (pid === 'own') {
    return userOf(currentProcess.call() as bigint);
  }
  const handle = openProcess.call(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) as bigint;
  if (handle === 0n) {
    return null;
  }
  try {
    return userOf(handle);
  } finally {
    closeHandle.call(handle);
  }
}

function userOf(processHandle: bigint): string | null {
  const { openToken, tokenInformation, closeHandle } = load();
  const token = new NativeMemory(POINTER_BYTES);
  const user = new NativeMemory(USER_BYTES);
  const length = new NativeMemory(4);
  try {
    if (openToken.call(processHandle, TOKEN_QUERY, token.address) === 0) {
      return null;
    }
    const handle = readPointer(token.bytes, 0);
    const isTold = tokenInformation.call(
      handle,
      TOKEN_USER,
      user.address,
      USER_BYTES,
      length.address,
    );
    closeHandle.call(handle);
    return isTold === 0 ? null : sidAt(readPointer(user.bytes, 0));
  } finally {
    token.free();
    user.free();
    length.free();
  }
}

/** u8 revision, u8 count, 6 bytes of authority, then that many u32 (winnt.h, SID). */
function sidAt(address: bigint): string {
  const [revision = 0, count = 0] = copyFrom(address, 2);
  const bytes = copyFrom(address, 8 + 4 * count);
  const parts = Array.from({ length: count }, (_part, index) => bytes.readUInt32LE(8 + 4 * index));
  return ['S', revision, bytes.readUIntBE(2, 6), ...parts].join('-');
}

function load(): Functions {
  if (functions === undefined) {
    const kernel = openLibrary(['kernel32.dll']);
    const security = openLibrary(['advapi32.dll']);
    functions = {
      currentProcess: kernel.require('GetCurrentProcess', 'pointer', []),
      openProcess: kernel.require('OpenProcess', 'pointer', ['u32', 'i32', 'u32']),
      openToken: security.require('OpenProcessToken', 'i32', ['pointer', 'u32', 'pointer']),
      tokenInformation: security.require('GetTokenInformation', 'i32', [
        'pointer',
        'u32',
        'pointer',
        'u32',
        'pointer',
      ]),
      closeHandle: kernel.require('CloseHandle', 'i32', ['pointer']),
    };
  }
  return functions;
}
