// Windows: whose program is at the other end, by GetExtendedTcpTable and the token of the process. Owns the rows of
// tcpmib.h.

import type { NativeFunction } from './ffi.ts';
import { NativeMemory, openLibrary } from './ffi.ts';
import type { LoopbackEnds, OwnerLookup, UserId } from './loopback-ends.ts';
import { endsKey } from './loopback-ends.ts';
import { userOfProcess } from './windows-account.ts';

interface TableLayout {
  readonly family: number;
  readonly rowBytes: number;
  readonly addressBytes: number;
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly state: number;
  readonly pid: number;
}

/** MIB_TCPROW_OWNER_PID. */
const TCP: TableLayout = {
  family: 2,
  rowBytes: 24,
  addressBytes: 4,
  state: 0,
  localAddress: 4,
  localPort: 8,
  remoteAddress: 12,
  remotePort: 16,
  pid: 20,
};
/** MIB_TCP6ROW_OWNER_PID. */
const TCP6: TableLayout = {
  family: 23,
  rowBytes: 56,
  addressBytes: 16,
  localAddress: 0,
  localPort: 20,
  remoteAddress: 24,
  remotePort: 44,
  state: 48,
  pid: 52,
};

const TCP_TABLE_OWNER_PID_CONNECTIONS = 4;
const NO_ERROR = 0;
const ERROR_INSUFFICIENT_BUFFER = 122;
/** ESTAB, FIN_WAIT1, FIN_WAIT2 (MIB_TCP_STATE): it has connected, and not been closed by us. */
const LIVE_STATES: ReadonlySet<number> = new Set([5, 6, 7]);
/** The table may grow between the question for its size and the one for it. */
const MAX_TRIES = 5;
const SPARE_BYTES = 4096;

export class WindowsOwners implements OwnerLookup {
  readonly #getTable: NativeFunction;
  readonly #userOf: (pid: number) => UserId | null;

  /** @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI */
  constructor(library = openLibrary(['iphlpapi.dll']), userOf = userOfProcess) {
    this.#getTable = library.require('GetExtendedTcpTable', 'u32', [
      'pointer',
      'pointer',
      'i32',
      'u32',
      'u32',
      'u32',
    ]);
    this.#userOf = userOf;
  }

  // Promised, as others must wait: this one does not.
  async ask(connections: readonly LoopbackEnds[]): Promise<readonly (UserId | null)[]> {
    const pids = new Map<string, number>();
    for (const layout of [TCP, TCP6]) {
      if (connections.some(({ peerAddress }) => peerAddress.length === layout.addressBytes)) {
        addRows(pids, this.#readTable(layout), layout);
      }
    }
    const users = new Map<number, UserId | null>();
    return connections.map((ends) => {
      const pid = pids.get(endsKey(ends));
      if (pid === undefined) {
        return null;
      }
      const user = users.has(pid) ? (users.get(pid) ?? null) : this.#userOf(pid);
      users.set(pid, user);
      return user;
    });
  }

  [Symbol.dispose](): void {
    // Nothing is held.
  }

  #readTable({ family }: TableLayout): Buffer {
    const size = new NativeMemory(4);
    try {
      for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
        const table = new NativeMemory(size.bytes.readUInt32LE(0) + SPARE_BYTES);
        try {
          size.bytes.writeUInt32LE(table.bytes.length, 0);
          const status = this.#getTable.call(
            table.address,
            size.address,
            0,
            family,
            TCP_TABLE_OWNER_PID_CONNECTIONS,
            0,
          );
          if (status === NO_ERROR) {
            return Buffer.from(table.bytes);
          }
          if (status !== ERROR_INSUFFICIENT_BUFFER) {
            break;
          }
        } finally {
          table.free();
        }
      }
      return Buffer.alloc(4);
    } finally {
      size.free();
    }
  }
}

/** u32 count, then the rows. Ports stand in network order in the low half of a u32. */
function addRows(pids: Map<string, number>, table: Buffer, layout: TableLayout): void {
  const count = Math.min(table.readUInt32LE(0), Math.floor((table.length - 4) / layout.rowBytes));
  for (let index = 0; index < count; index += 1) {
    const start = 4 + index * layout.rowBytes;
    const row = table.subarray(start, start + layout.rowBytes);
    if (LIVE_STATES.has(row.readUInt32LE(layout.state))) {
      const address = (at: number): Buffer => row.subarray(at, at + layout.addressBytes);
      const key = endsKey({
        peerAddress: address(layout.localAddress),
        peerPort: row.readUInt16BE(layout.localPort),
        ownAddress: address(layout.remoteAddress),
        ownPort: row.readUInt16BE(layout.remotePort),
      });
      pids.set(key, row.readUInt32LE(layout.pid));
    }
  }
}
