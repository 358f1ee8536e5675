// Lists of buffers for SSPI's calls, outside V8. Owns the list; the bytes it points at belong to the caller.
import { NativeMemory } from './ffi.ts';
import { pack, SSPI_STRUCT, sizeOf, unpack } from './sspi-structures.ts';

export interface BufferEntry {
  /** SECBUFFER_... */
  readonly type: number;
  readonly memory: NativeMemory;
}

/** A SecBufferDesc and the SecBuffers it points at. */
export class BufferList {
  readonly #descriptor: NativeMemory;
  readonly #buffers: NativeMemory;

  constructor(entries: readonly BufferEntry[]) {
    this.#buffers = NativeMemory.of(
      Buffer.concat(
        entries.map(({ type, memory }) =>
          pack(SSPI_STRUCT.SecBuffer, {
            type,
            length: memory.bytes.length,
            bytes: memory.address,
          }),
        ),
      ),
    );
    this.#descriptor = NativeMemory.of(
      pack(SSPI_STRUCT.SecBufferDesc, {
        count: entries.length,
        buffers: this.#buffers.address,
      }),
    );
  }

  get address(): bigint {
    return this.#descriptor.address;
  }

  /** How much the library says is in a buffer. */
  lengthOf(index: number): number {
    const size = sizeOf(SSPI_STRUCT.SecBuffer);
    const entry = this.#buffers.bytes.subarray(index * size, (index + 1) * size);
    return unpack(SSPI_STRUCT.SecBuffer, entry).length;
  }

  free(): void {
    this.#descriptor.free();
    this.#buffers.free();
  }
}
