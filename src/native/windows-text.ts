// Texts that Windows hands out by address. Owns their length and who frees them; the meaning is the reader's.
import type { NativeFunction } from './ffi.ts';
import { copyFrom, openLibrary } from './ffi.ts';

interface Kernel {
  readonly lengthOf: NativeFunction;
  readonly globalFree: NativeFunction;
}

let kernel: Kernel | undefined;

/** The UTF-16 text at an address, up to its NUL; of a null pointer `undefined`. */
export function readWindowsText(address: bigint): string | undefined {
  if (address === 0n) {
    return undefined;
  }
  const length = Number(loadKernel().lengthOf.call(address));
  return copyFrom(address, length * 2).toString('utf16le');
}

/** The same, freed by GlobalFree as WinHTTP wants it. */
export function takeWindowsText(address: bigint): string | undefined {
  const text = readWindowsText(address);
  if (address !== 0n) {
    loadKernel().globalFree.call(address);
  }
  return text;
}

function loadKernel(): Kernel {
  if (kernel === undefined) {
    const library = openLibrary(['kernel32.dll']);
    kernel = {
      lengthOf: library.require('lstrlenW', 'i32', ['pointer']),
      globalFree: library.require('GlobalFree', 'pointer', ['pointer']),
    };
  }
  return kernel;
}
