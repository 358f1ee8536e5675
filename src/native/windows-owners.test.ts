// A table as Windows lays it out, given by a library that is written down; under Wine the real one is asked (test/lab).
import { describe, expect, it } from 'vitest';
import type { NativeLibrary, NativeValue } from './ffi.ts';
import { copyFrom, NativeMemory, openLibrary } from './ffi.ts';
import type { LoopbackEnds } from './loopback-ends.ts';
import { loopbackEnds } from './loopback-ends.ts';
import { WindowsOwners } from './windows-owners.ts';

const LOOPBACK6 = '00000000000000000000000000000001';
/** state, local address and port, remote address and port, pid; ports in network order, then two bytes of nothing. */
const row = (state: number, port: number, pid: number): string =>
  `${u32(state)}7f000001${be16(port)}ffff7f0000010c38ffff${u32(pid)}`;
const row6 = (port: number, pid: number): string =>
  `${LOOPBACK6}00000000${be16(port)}0000${LOOPBACK6}000000000c380000${u32(5)}${u32(pid)}`;
const TABLES: Readonly<Record<number, string>> = {
  2: [row(5, 40_000, 11), row(6, 40_001, 12), row(11, 40_002, 12), row(2, 40_003, 11)].join(''),
  23: [row6(40_000, 13), row6(40_004, 12)].join(''),
};
const ROW_BYTES: Readonly<Record<number, number>> = { 2: 24, 23: 56 };
const USERS: Readonly<Record<number, string>> = { 11: 'S-1-5-21-1', 12: 'S-1-5-21-2' };

describe('WindowsOwners', () => {
  it('goes from the connection to the process to its user', async () => {
    const library = new ScriptedLibrary();
    using owners = new WindowsOwners(library.library, (pid) => USERS[Number(pid)] ?? null);
    const clients = [
      client('127.0.0.1', 40_000),
      client('127.0.0.1', 40_001),
      client('::1', 40_004),
    ];
    expect(await owners.ask(clients)).toEqual(['S-1-5-21-1', 'S-1-5-21-2', 'S-1-5-21-2']);
  });

  it('says nothing of closed ends, of those not there, and of processes it may not ask', async () => {
    using owners = new WindowsOwners(
      new ScriptedLibrary().library,
      (pid) => USERS[Number(pid)] ?? null,
    );
    const clients = [
      client('127.0.0.1', 40_002),
      client('127.0.0.1', 40_003),
      client('127.0.0.1', 40_009),
      client('::1', 40_000),
    ];
    expect(await owners.ask(clients)).toEqual([null, null, null, null]);
  });

  it('asks for the table once, and again when it has grown', async () => {
    const library = new ScriptedLibrary(2 * 4096);
    using owners = new WindowsOwners(library.library, (pid) => USERS[Number(pid)] ?? null);
    const clients = [client('127.0.0.1', 40_000), client('127.0.0.1', 40_001)];
    expect(await owners.ask(clients)).toEqual(['S-1-5-21-1', 'S-1-5-21-2']);
    expect(library.calls).toEqual([2, 2]);
  });

  it('knows nobody when Windows gives no table', async () => {
    using owners = new WindowsOwners(new ScriptedLibrary(4, 87).library, () => 'S-1-5-21-1');
    expect(await owners.ask([client('127.0.0.1', 40_000)])).toEqual([null]);
  });
});

/** GetExtendedTcpTable(table, size, order, family, class, reserved). */
class ScriptedLibrary {
  readonly calls: number[] = [];
  readonly library: NativeLibrary;

  constructor(wantedBytes = 4, failure?: number) {
    this.library = {
      name: 'iphlpapi.dll',
      find: () => undefined,
      require: (name) => {
        expect(name).toBe('GetExtendedTcpTable');
        return {
          call: (...values) => this.#answer(values, wantedBytes, failure),
          callAsync: () => Promise.reject(new Error('not on another thread')),
        };
      },
    };
  }

  #answer(values: readonly NativeValue[], wantedBytes: number, failure?: number): number {
    const [table = 0n, size = 0n, order, family = 0, kind, reserved] = values;
    expect([order, kind, reserved]).toEqual([0, 4, 0]);
    this.calls.push(Number(family));
    if (failure !== undefined) {
      return failure;
    }
    const room = copyFrom(size as bigint, 4).readUInt32LE(0);
    if (room < wantedBytes) {
      write(size as bigint, Buffer.from(u32(wantedBytes), 'hex'));
      return 122;
    }
    const rows = Buffer.from(TABLES[Number(family)] ?? '', 'hex');
    const count = rows.length / (ROW_BYTES[Number(family)] ?? 1);
    write(table as bigint, Buffer.concat([Buffer.from(u32(count), 'hex'), rows]));
    return 0;
  }
}

function client(address: string, remotePort: number): LoopbackEnds {
  const ends = { remoteAddress: address, localAddress: address, remotePort, localPort: 3128 };
  return loopbackEnds(ends) as LoopbackEnds;
}

function u32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}

function be16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function write(address: bigint, bytes: Buffer): void {
  const library = openLibrary(['libc.so.6', 'libSystem.B.dylib', 'msvcrt.dll']);
  const copy = library.require('memcpy', 'pointer', ['pointer', 'pointer', 'usize']);
  using source = NativeMemory.of(bytes);
  copy.call(address, source.address, BigInt(bytes.length));
}
