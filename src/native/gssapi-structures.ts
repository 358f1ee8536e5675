// The structures of GSSAPI (RFC 2744 section 3) as bytes. Owns the two layouts, the natural one and the packed one of
// macOS on Intel, and the native memory that lives as long as one call.
import { copyFrom, NativeMemory, readPointer, writePointer } from './ffi.ts';

/** Sizes and offsets in bytes; pointers and `size_t` have 8: no 32-bit platform has a GSSAPI we load. */
export interface GssLayout {
  readonly buffer: { readonly bytes: number; readonly length: number; readonly value: number };
  readonly oid: { readonly bytes: number; readonly length: number; readonly elements: number };
  readonly oidSet: { readonly bytes: number; readonly count: number; readonly elements: number };
  readonly bindings: { readonly bytes: number; readonly applicationData: number };
}

/** An address and the number of bytes there. */
export interface NativeBytes {
  readonly address: bigint;
  readonly length: number;
}

const NATURAL: GssLayout = {
  buffer: { bytes: 16, length: 0, value: 8 },
  oid: { bytes: 16, length: 0, elements: 8 },
  oidSet: { bytes: 16, count: 0, elements: 8 },
  bindings: { bytes: 64, applicationData: 48 },
};

/** `#pragma pack(push, 2)` around the declarations: gssapi.h of MIT and of GSS.framework. */
const PACKED: GssLayout = {
  ...NATURAL,
  oid: { bytes: 12, length: 0, elements: 4 },
  bindings: { bytes: 56, applicationData: 40 },
};

/** Only macOS on Intel packs; Node for Intel under Rosetta calls itself x64 and loads the Intel half of the framework. */
export function gssLayout(
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): GssLayout {
  return platform === 'darwin' && arch === 'x64' ? PACKED : NATURAL;
}

/** A `gss_buffer_desc`. */
export function formatBuffer({ buffer }: GssLayout, { address, length }: NativeBytes): Buffer {
  const bytes = Buffer.alloc(buffer.bytes);
  bytes.writeBigUInt64LE(BigInt(length), buffer.length);
  writePointer(bytes, address, buffer.value);
  return bytes;
}

export function parseBuffer({ buffer }: GssLayout, bytes: Buffer): NativeBytes {
  return {
    length: Number(bytes.readBigUInt64LE(buffer.length)),
    address: readPointer(bytes, buffer.value),
  };
}

/** A `gss_OID_desc`; `elements` is the DER body without tag and length. */
export function formatOid({ oid }: GssLayout, elements: NativeBytes): Buffer {
  const bytes = Buffer.alloc(oid.bytes);
  bytes.writeUInt32LE(elements.length, oid.length);
  writePointer(bytes, elements.address, oid.elements);
  return bytes;
}

export function parseOid({ oid }: GssLayout, bytes: Buffer): NativeBytes {
  return { length: bytes.readUInt32LE(oid.length), address: readPointer(bytes, oid.elements) };
}

/** A `gss_OID_set_desc`; `elements` is an array of `gss_OID_desc`, counted in members. */
export function formatOidSet({ oidSet }: GssLayout, elements: bigint, count: number): Buffer {
  const bytes = Buffer.alloc(oidSet.bytes);
  bytes.writeBigUInt64LE(BigInt(count), oidSet.count);
  writePointer(bytes, elements, oidSet.elements);
  return bytes;
}

export function parseOidSet({ oidSet }: GssLayout, bytes: Buffer): NativeBytes {
  return {
    length: Number(bytes.readBigUInt64LE(oidSet.count)),
    address: readPointer(bytes, oidSet.elements),
  };
}

/** A `gss_channel_bindings_struct` without addresses (RFC 2744 section 3.11; address type 0 is GSS_C_AF_UNSPEC). */
export function formatBindings(layout: GssLayout, applicationData: NativeBytes): Buffer {
  const bytes = Buffer.alloc(layout.bindings.bytes);
  bytes.set(formatBuffer(layout, applicationData), layout.bindings.applicationData);
  return bytes;
}

/** Native memory for one call: everything made here is wiped and freed by one dispose. */
export class GssArena implements Disposable {
  readonly #layout: GssLayout;
  readonly #owned: NativeMemory[] = [];

  constructor(layout: GssLayout) {
    this.#layout = layout;
  }

  /** Zeroed room for what a call gives: a handle, a status, a `gss_buffer_desc`. */
  room(size = 8): NativeMemory {
    const memory = new NativeMemory(size);
    this.#owned.push(memory);
    return memory;
  }

  /** Address of a `gss_buffer_desc` with a copy of the bytes. */
  buffer(bytes: Uint8Array): bigint {
    return this.#copy(formatBuffer(this.#layout, this.#bytes(bytes))).address;
  }

  /** Address of a NUL-terminated UTF-8 string. */
  text(text: string): bigint {
    return this.#copy(Buffer.from(`${text}\0`)).address;
  }

  /** Address of a `gss_OID_desc`. */
  oid(elements: Uint8Array): bigint {
    return this.#copy(formatOid(this.#layout, this.#bytes(elements))).address;
  }

  /** Address of a `gss_OID_set_desc` with one member. */
  oidSet(elements: Uint8Array): bigint {
    return this.#copy(formatOidSet(this.#layout, this.oid(elements), 1)).address;
  }

  /** Address of a `gss_channel_bindings_struct`; 0 without data. */
  bindings(applicationData: Uint8Array | null): bigint {
    return applicationData === null
      ? 0n
      : this.#copy(formatBindings(this.#layout, this.#bytes(applicationData))).address;
  }

  [Symbol.dispose](): void {
    for (const memory of this.#owned) {
      memory.free();
    }
    this.#owned.length = 0;
  }

  #bytes(bytes: Uint8Array): NativeBytes {
    return { address: this.#copy(bytes).address, length: bytes.length };
  }

  #copy(bytes: Uint8Array): NativeMemory {
    const memory = NativeMemory.of(bytes);
    this.#owned.push(memory);
    return memory;
  }
}

/** The DER body of a `gss_OID` a library gave; empty for GSS_C_NO_OID. */
export function readOidAt(layout: GssLayout, address: bigint): Buffer {
  if (address === 0n) {
    return Buffer.alloc(0);
  }
  const { address: elements, length } = parseOid(layout, copyFrom(address, layout.oid.bytes));
  return copyFrom(elements, length);
}

/** The DER bodies in a `gss_OID_set` a library gave. */
export function readOidSetAt(layout: GssLayout, address: bigint): Buffer[] {
  if (address === 0n) {
    return [];
  }
  const set = parseOidSet(layout, copyFrom(address, layout.oidSet.bytes));
  return Array.from({ length: set.length }, (_, index) =>
    readOidAt(layout, set.address + BigInt(index * layout.oid.bytes)),
  );
}
