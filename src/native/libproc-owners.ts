// macOS: whether a program of this user is at the other end, by libproc: the descriptors of our own processes are the ones
// it shows. Owns the layouts of sys/proc_info.h.

import type { NativeFunction, NativeLibrary } from './ffi.ts';
import { C_LIBRARY, NativeMemory, openLibrary } from './ffi.ts';
import type { LoopbackEnds, OwnerLookup, UserId } from './loopback-ends.ts';
import { endsKey } from './loopback-ends.ts';

const PROC_UID_ONLY = 4;
const PROC_PIDLISTFDS = 1;
const PROC_PIDFDSOCKETINFO = 3;
const PROX_FDTYPE_SOCKET = 2;
const SOCKINFO_TCP = 2;
const INI_IPV4 = 1;
/** ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2: it has connected, and not been closed by us. */
const LIVE_STATES: ReadonlySet<number> = new Set([4, 6, 9]);

/** struct socket_fdinfo, the same on Intel and Apple silicon: proc_fileinfo (24), then socket_info. */
const SOCKET_INFO = {
  bytes: 792,
  kind: 24 + 232,
  foreignPort: 24 + 240,
  localPort: 24 + 244,
  versionFlag: 24 + 264,
  foreignAddress: 24 + 272,
  localAddress: 24 + 288,
  state: 24 + 320,
} as const;
/** struct proc_fdinfo: i32 descriptor, u32 type. */
const DESCRIPTOR_BYTES = 8;
/** Processes and descriptors may become more between two questions. */
const SPARE = 64;

export class LibprocOwners implements OwnerLookup {
  readonly #listProcesses: NativeFunction;
  readonly #processInfo: NativeFunction;
  readonly #descriptorInfo: NativeFunction;
  readonly #uid: number;

  constructor(library: NativeLibrary, uid: number) {
    this.#listProcesses = library.require('proc_listpids', 'i32', ['u32', 'u32', 'pointer', 'i32']);
    this.#processInfo = library.require('proc_pidinfo', 'i32', [
      'i32',
      'i32',
      'i64',
      'pointer',
      'i32',
    ]);
    this.#descriptorInfo = library.require('proc_pidfdinfo', 'i32', [
      'i32',
      'i32',
      'i32',
      'pointer',
      'i32',
    ]);
    this.#uid = uid;
  }

  /** @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI */
  static open(): LibprocOwners {
    return new LibprocOwners(openLibrary(C_LIBRARY), process.geteuid?.() ?? -1);
  }

  // Promised, as others must wait: this one does not.
  async ask(connections: readonly LoopbackEnds[]): Promise<readonly (UserId | null)[]> {
    const wanted = new Set(connections.map(endsKey));
    const own = new Set<string>();
    using info = new NativeMemory(SOCKET_INFO.bytes);
    for (const pid of this.#ownProcesses()) {
      for (const descriptor of this.#socketsOf(pid)) {
        const key = this.#connectionOf(pid, descriptor, info);
        if (key !== null && wanted.delete(key)) {
          own.add(key);
        }
      }
      if (wanted.size === 0) {
        break;
      }
    }
    return connections.map((ends) => (own.has(endsKey(ends)) ? String(this.#uid) : null));
  }

  [Symbol.dispose](): void {
    // Nothing is held.
  }

  #ownProcesses(): readonly number[] {
    const bytes = this.#readList(4, (address, size) =>
      this.#listProcesses.call(PROC_UID_ONLY, this.#uid, address, size),
    );
    return Array.from({ length: bytes.length / 4 }, (_pid, index) => bytes.readInt32LE(index * 4));
  }

  #socketsOf(pid: number): readonly number[] {
    const bytes = this.#readList(DESCRIPTOR_BYTES, (address, size) =>
      this.#processInfo.call(pid, PROC_PIDLISTFDS, 0, address, size),
    );
    const sockets: number[] = [];
    for (let at = 0; at < bytes.length; at += DESCRIPTOR_BYTES) {
      if (bytes.readUInt32LE(at + 4) === PROX_FDTYPE_SOCKET) {
        sockets.push(bytes.readInt32LE(at));
      }
    }
    return sockets;
  }

  #connectionOf(pid: number, descriptor: number, { address, bytes }: NativeMemory): string | null {
    const size = SOCKET_INFO.bytes;
    const told = this.#descriptorInfo.call(pid, descriptor, PROC_PIDFDSOCKETINFO, address, size);
    if (
      told !== size ||
      bytes.readInt32LE(SOCKET_INFO.kind) !== SOCKINFO_TCP ||
      !LIVE_STATES.has(bytes.readInt32LE(SOCKET_INFO.state))
    ) {
      return null;
    }
    // struct in4in6_addr: the four bytes of IPv4 stand behind twelve others.
    const skipped = (bytes.readUInt8(SOCKET_INFO.versionFlag) & INI_IPV4) === 0 ? 0 : 12;
    const addressAt = (at: number): Buffer => bytes.subarray(at + skipped, at + 16);
    return endsKey({
      peerAddress: addressAt(SOCKET_INFO.localAddress),
      peerPort: bytes.readUInt16BE(SOCKET_INFO.localPort),
      ownAddress: addressAt(SOCKET_INFO.foreignAddress),
      ownPort: bytes.readUInt16BE(SOCKET_INFO.foreignPort),
    });
  }

  /** First how many bytes there are, then the bytes. */
  #readList(itemBytes: number, read: (address: bigint, size: number) => unknown): Buffer {
    const announced = Number(read(0n, 0));
    if (announced <= 0) {
      return Buffer.alloc(0);
    }
    using list = new NativeMemory(announced + SPARE * itemBytes);
    const length = Math.max(0, Number(read(list.address, list.bytes.length)));
    return Buffer.from(list.bytes.subarray(0, length - (length % itemBytes)));
  }
}
