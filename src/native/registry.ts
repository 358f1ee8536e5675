// Values of the machine's part of the Windows registry, read only. Owns RegGetValueW and its types.
import type { NativeFunction } from './ffi.ts';
import { NativeMemory, openLibrary, POINTER_BYTES } from './ffi.ts';

/** HKEY_LOCAL_MACHINE, a LONG that is sign-extended to the width of a pointer. */
const LOCAL_MACHINE = BigInt.asUintN(POINTER_BYTES * 8, BigInt.asIntN(32, 0x80000002n));
const RRF_RT_REG_SZ = 0x2;
const RRF_RT_REG_DWORD = 0x10;
/** A 32-bit Node would be shown another part of HKLM\Software. */
const RRF_SUBKEY_WOW6464KEY = 0x10000;
const ERROR_SUCCESS = 0;

let getValue: NativeFunction | undefined;

/**
 * A REG_DWORD below HKEY_LOCAL_MACHINE, or `undefined` where there is none.
 *
 * @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI
 */
export function readMachineNumber(key: string, name: string): number | undefined {
  return readValue(key, name, RRF_RT_REG_DWORD)?.readUInt32LE(0);
}

/** A REG_SZ in the same place; an empty one counts as absent. */
export function readMachineText(key: string, name: string): string | undefined {
  const text = readValue(key, name, RRF_RT_REG_SZ)?.toString('utf16le').replace(/\0.*$/s, '');
  return text || undefined;
}

function readValue(key: string, name: string, type: number): Buffer | undefined {
  const length = new NativeMemory(4);
  const [keyText, nameText] = [NativeMemory.utf16(key), NativeMemory.utf16(name)];
  const ask = (data: bigint): number =>
    Number(
      loadGetValue().call(
        LOCAL_MACHINE,
        keyText.address,
        nameText.address,
        type | RRF_SUBKEY_WOW6464KEY,
        0n,
        data,
        length.address,
      ),
    );
  try {
    if (ask(0n) !== ERROR_SUCCESS) {
      return undefined;
    }
    const data = new NativeMemory(Math.max(length.bytes.readUInt32LE(0), 4));
    try {
      return ask(data.address) === ERROR_SUCCESS ? Buffer.from(data.bytes) : undefined;
    } finally {
      data.free();
    }
  } finally {
    length.free();
    keyText.free();
    nameText.free();
  }
}

function loadGetValue(): NativeFunction {
  getValue ??= openLibrary(['advapi32.dll']).require('RegGetValueW', 'i32', [
    'pointer',
    'pointer',
    'pointer',
    'u32',
    'pointer',
    'pointer',
    'pointer',
  ]);
  return getValue;
}
