// The canonical name of a host, as the system's own resolver knows it: hosts file, search domains, CNAMEs. Owns the
// layouts of addrinfo; whether the name may be used is decided above.
import {
  C_LIBRARY,
  copyFrom,
  NativeMemory,
  openLibrary,
  POINTER_BYTES,
  readPointer,
} from './ffi.ts';

/** `AI_CANONNAME`, the same number on all three (netdb.h, ws2def.h). */
const AI_CANONNAME = 2;
const MAX_NAME_BYTES = 512;

/**
 * @returns lower case, without a trailing dot; `null` when the resolver does not know the host or is not to be had
 */
export async function canonicalName(host: string): Promise<string | null> {
  const isWindows = process.platform === 'win32';
  const library = openLibrary(isWindows ? ['ws2_32.dll'] : C_LIBRARY);
  const [lookup, release] = isWindows
    ? (['GetAddrInfoW', 'FreeAddrInfoW'] as const)
    : (['getaddrinfo', 'freeaddrinfo'] as const);
  const getaddrinfo = library.require(lookup, 'i32', ['pointer', 'pointer', 'pointer', 'pointer']);
  const freeaddrinfo = library.require(release, 'void', ['pointer']);
  const name = isWindows
    ? NativeMemory.utf16(host)
    : NativeMemory.of(Buffer.from(`${host}\0`, 'utf8'));
  const hints = new NativeMemory(64);
  const result = new NativeMemory(POINTER_BYTES);
  try {
    hints.bytes.writeInt32LE(AI_CANONNAME, 0);
    const status = await getaddrinfo.callAsync(name.address, 0n, hints.address, result.address);
    const found = readPointer(result.bytes, 0);
    if (status !== 0 || found === 0n) {
      return null;
    }
    const text = readName(found, isWindows);
    freeaddrinfo.call(found);
    return text;
  } finally {
    name.free();
    hints.free();
    result.free();
  }
}

/**
 * struct addrinfo begins with four ints and a length, padded to a pointer; then come address and name, in Linux, name and
 * address elsewhere (netdb.h, ws2def.h).
 */
function readName(addrinfo: bigint, isWide: boolean): string | null {
  const start = POINTER_BYTES === 8 ? 24 : 20;
  const offset = process.platform === 'linux' ? start + POINTER_BYTES : start;
  const head = copyFrom(addrinfo, offset + POINTER_BYTES);
  const address = readPointer(head, offset);
  if (address === 0n) {
    return null;
  }
  const text = readText(address, isWide).toLowerCase().replace(/\.$/, '');
  return text === '' ? null : text;
}

function readText(address: bigint, isWide: boolean): string {
  const width = isWide ? 2 : 1;
  let length = 0;
  while (
    length < MAX_NAME_BYTES &&
    !copyFrom(address + BigInt(length), width).every((byte) => byte === 0)
  ) {
    length += width;
  }
  return copyFrom(address, length).toString(isWide ? 'utf16le' : 'utf8');
}
