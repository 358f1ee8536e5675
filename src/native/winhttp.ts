// The proxy settings WinHTTP tells: those of the signed-in user and those of the machine. Owns the structures of
// winhttp.h; what the texts mean is `settings/`'s.
import { NativeMemory, openLibrary, POINTER_BYTES, readPointer } from './ffi.ts';
import { takeWindowsText } from './windows-text.ts';

/** As Windows has them; lists are not yet split. */
export interface WindowsProxySettings {
  readonly autoDetect: boolean;
  readonly pacUrl: string | undefined;
  /** `host:port`, or `http=host:port;https=host:port`. */
  readonly proxy: string | undefined;
  /** Entries with `;` or blanks between them. */
  readonly bypass: string | undefined;
}

const WINHTTP_ACCESS_TYPE_NAMED_PROXY = 3;

/**
 * WinHttpGetIEProxyConfigForCurrentUser: what the user sees under "Proxy".
 *
 * @returns `undefined` where the user has none
 * @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI
 */
export function readUserProxySettings(): WindowsProxySettings | undefined {
  const library = openLibrary(['winhttp.dll']);
  const read = library.require('WinHttpGetIEProxyConfigForCurrentUser', 'i32', ['pointer']);
  // BOOL, padding, three LPWSTR.
  const config = new NativeMemory(4 * POINTER_BYTES);
  try {
    if (read.call(config.address) === 0) {
      return undefined;
    }
    return {
      autoDetect: config.bytes.readInt32LE(0) !== 0,
      pacUrl: takeText(config, 1),
      proxy: takeText(config, 2),
      bypass: takeText(config, 3),
    };
  } finally {
    config.free();
  }
}

/**
 * WinHttpGetDefaultProxyConfiguration: what `netsh winhttp set proxy` said, for services mostly.
 *
 * @returns `undefined` where it names no proxy
 * @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI
 */
export function readMachineProxySettings(): WindowsProxySettings | undefined {
  const library = openLibrary(['winhttp.dll']);
  const read = library.require('WinHttpGetDefaultProxyConfiguration', 'i32', ['pointer']);
  // DWORD, padding, two LPWSTR.
  const info = new NativeMemory(3 * POINTER_BYTES);
  try {
    if (read.call(info.address) === 0) {
      return undefined;
    }
    const [proxy, bypass] = [takeText(info, 1), takeText(info, 2)];
    return info.bytes.readUInt32LE(0) === WINHTTP_ACCESS_TYPE_NAMED_PROXY
      ? { autoDetect: false, pacUrl: undefined, proxy, bypass }
      : undefined;
  } finally {
    info.free();
  }
}

function takeText({ bytes }: NativeMemory, index: number): string | undefined {
  return takeWindowsText(readPointer(bytes, index * POINTER_BYTES)) || undefined;
}
