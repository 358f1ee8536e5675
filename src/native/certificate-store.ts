// The certificate stores of Windows (crypt32): authorities the user, the machine and their policies trust for servers.
// Owns the stores' names and which of their entries count; reads only.
import type { NativeFunction } from './ffi.ts';
import { copyFrom, NativeMemory, openLibrary, POINTER_BYTES, readPointer } from './ffi.ts';

/** DER. */
export interface StoreCertificates {
  /** Of the ROOT stores: whatever ends in one of them is trusted. */
  readonly roots: readonly Buffer[];
  /** Of the CA stores: links of a chain, trusted only by a root. */
  readonly intermediates: readonly Buffer[];
}

const CERT_STORE_PROV_SYSTEM_W = 10n;
const CERT_STORE_OPEN_EXISTING_FLAG = 0x4000;
const CERT_STORE_READONLY_FLAG = 0x8000;
/** CERT_SYSTEM_STORE_* of user and machine, of the group policies of both, and of the enterprise. */
const LOCATIONS = [1, 2, 7, 8, 9].map((id) => id << 16);
const CERT_ENHKEY_USAGE_PROP_ID = 9;
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
const ANY_USAGE = '2.5.29.37.0';

interface Crypt32 {
  readonly openStore: NativeFunction;
  readonly next: NativeFunction;
  readonly closeStore: NativeFunction;
  readonly usage: NativeFunction;
  readonly property: NativeFunction;
  readonly lengthOf: NativeFunction;
}

/**
 * Reads ROOT and CA of every location, without what the Disallowed stores hold and what is not for servers. A store that
 * is not there counts as empty.
 *
 * @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI
 */
export function readCertificateStores(): StoreCertificates {
  const crypt32 = loadCrypt32();
  const all = (store: string): Buffer[] =>
    LOCATIONS.flatMap((location) => readStore(crypt32, store, location, store !== 'Disallowed'));
  const disallowed = new Set(all('Disallowed').map(keyOf));
  const allowed = (store: string): readonly Buffer[] => {
    const found = new Map(all(store).map((der) => [keyOf(der), der]));
    return [...found].filter(([key]) => !disallowed.has(key)).map(([, der]) => der);
  };
  return { roots: allowed('ROOT'), intermediates: allowed('CA') };
}

function keyOf(der: Buffer): string {
  return der.toString('latin1');
}

function readStore(
  crypt32: Crypt32,
  name: string,
  location: number,
  onlyForServers: boolean,
): Buffer[] {
  const text = NativeMemory.utf16(name);
  const flags = location | CERT_STORE_OPEN_EXISTING_FLAG | CERT_STORE_READONLY_FLAG;
  const found: Buffer[] = [];
  try {
    const store = crypt32.openStore.call(CERT_STORE_PROV_SYSTEM_W, 0, 0n, flags, text.address);
    if (store === 0n) {
      return [];
    }
    // Each call frees the context before; the last one, which finds nothing, the last.
    let context = crypt32.next.call(store, 0n) as bigint;
    while (context !== 0n) {
      if (!onlyForServers || isForServers(crypt32, context)) {
        found.push(encodingOf(context));
      }
      context = crypt32.next.call(store, context) as bigint;
    }
    crypt32.closeStore.call(store, 0);
    return found;
  } finally {
    text.free();
  }
}

/** CERT_CONTEXT: DWORD dwCertEncodingType, padding, BYTE *pbCertEncoded, DWORD cbCertEncoded. */
function encodingOf(context: bigint): Buffer {
  const head = copyFrom(context, 2 * POINTER_BYTES + 4);
  return copyFrom(readPointer(head, POINTER_BYTES), head.readUInt32LE(2 * POINTER_BYTES));
}

/** Windows keeps roots for signing code, too; an administrator may also take every use from a certificate. */
function isForServers(crypt32: Crypt32, context: bigint): boolean {
  const length = new NativeMemory(4);
  try {
    if (crypt32.usage.call(context, 0, 0n, length.address) === 0) {
      return false;
    }
    const usage = new NativeMemory(Math.max(length.bytes.readUInt32LE(0), 2 * POINTER_BYTES));
    try {
      if (crypt32.usage.call(context, 0, usage.address, length.address) === 0) {
        return false;
      }
      const names = readNames(crypt32, usage);
      return names.length === 0
        ? !hasUsageProperty(crypt32, context, length)
        : names.includes(SERVER_AUTHENTICATION) || names.includes(ANY_USAGE);
    } finally {
      usage.free();
    }
  } finally {
    length.free();
  }
}

/** CTL_USAGE: DWORD cUsageIdentifier, padding, LPSTR *rgpszUsageIdentifier. */
function readNames(crypt32: Crypt32, usage: NativeMemory): string[] {
  const count = usage.bytes.readUInt32LE(0);
  const names = copyFrom(readPointer(usage.bytes, POINTER_BYTES), count * POINTER_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const address = readPointer(names, index * POINTER_BYTES);
    return copyFrom(address, Number(crypt32.lengthOf.call(address))).toString('latin1');
  });
}

/** An empty list of uses means every use, unless it was set as a property: then none. */
function hasUsageProperty(crypt32: Crypt32, context: bigint, length: NativeMemory): boolean {
  return crypt32.property.call(context, CERT_ENHKEY_USAGE_PROP_ID, 0n, length.address) !== 0;
}

function loadCrypt32(): Crypt32 {
  const library = openLibrary(['crypt32.dll']);
  const kernel = openLibrary(['kernel32.dll']);
  return {
    openStore: library.require('CertOpenStore', 'pointer', [
      'pointer',
      'u32',
      'pointer',
      'u32',
      'pointer',
    ]),
    next: library.require('CertEnumCertificatesInStore', 'pointer', ['pointer', 'pointer']),
    closeStore: library.require('CertCloseStore', 'i32', ['pointer', 'u32']),
    usage: library.require('CertGetEnhancedKeyUsage', 'i32', [
      'pointer',
      'u32',
      'pointer',
      'pointer',
    ]),
    property: library.require('CertGetCertificateContextProperty', 'i32', [
      'pointer',
      'u32',
      'pointer',
      'pointer',
    ]),
    lengthOf: kernel.require('lstrlenA', 'i32', ['pointer']),
  };
}
