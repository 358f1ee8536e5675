// What no machine here has, by a library that is written down: descriptors of processes as macOS lays them out.
import { describe, expect, it } from 'vitest';
import type { NativeLibrary, NativeValue } from './ffi.ts';
import { NativeMemory, openLibrary } from './ffi.ts';
import { LibprocOwners } from './libproc-owners.ts';
import type { LoopbackEnds } from './loopback-ends.ts';
import { loopbackEnds } from './loopback-ends.ts';

const UID = 501;
const ESTABLISHED = 4;
const FIN_WAIT_2 = 9;
const CLOSE_WAIT = 5;

interface Descriptor {
  readonly descriptor: number;
  /** 1 a file, 2 a socket. */
  readonly type: number;
  readonly info?: Buffer;
}

/** Two processes of ours. Descriptor 9 is closed between the list and the question. */
const PROCESSES: Readonly<Record<number, readonly Descriptor[]>> = {
  700: [
    { descriptor: 0, type: 1 },
    { descriptor: 3, type: 2, info: socketInfo('127.0.0.1', 40_000, ESTABLISHED) },
    { descriptor: 9, type: 2 },
  ],
  701: [
    { descriptor: 4, type: 2, info: socketInfo('::1', 40_000, FIN_WAIT_2) },
    { descriptor: 5, type: 2, info: socketInfo('127.0.0.1', 40_005, CLOSE_WAIT) },
    { descriptor: 6, type: 2, info: socketInfo('127.0.0.1', 40_006, ESTABLISHED, 1) },
  ],
};

describe('LibprocOwners', () => {
  it('finds connections among the descriptors of the own processes', async () => {
    using owners = new LibprocOwners(scripted(), UID);
    const clients = [client('::1', 40_000), client('127.0.0.1', 40_000)];
    expect(await owners.ask(clients)).toEqual([String(UID), String(UID)]);
  });

  it('says nothing of others, of ends that are not live, and of what is no TCP', async () => {
    using owners = new LibprocOwners(scripted(), UID);
    const clients = [
      client('127.0.0.1', 40_001),
      client('::1', 40_005),
      client('127.0.0.1', 40_005),
      client('127.0.0.1', 40_006),
    ];
    expect(await owners.ask(clients)).toEqual([null, null, null, null]);
  });

  it('knows nobody when the system shows no processes', async () => {
    using owners = new LibprocOwners(scripted({}), UID);
    expect(await owners.ask([client('::1', 40_000)])).toEqual([null]);
  });
});

function scripted(processes = PROCESSES): NativeLibrary {
  const answers: Readonly<Record<string, (values: readonly NativeValue[]) => number>> = {
    proc_listpids: ([kind, uid, address, size]) => {
      expect([kind, uid]).toEqual([4, UID]);
      return list(i32(...Object.keys(processes).map(Number)), address, size);
    },
    proc_pidinfo: ([pid, flavor, , address, size]) => {
      expect(flavor).toBe(1);
      const rows = processes[Number(pid)] ?? [];
      return list(
        i32(...rows.flatMap(({ descriptor, type }) => [descriptor, type])),
        address,
        size,
      );
    },
    proc_pidfdinfo: ([pid, descriptor, flavor, address, size]) => {
      expect([flavor, size]).toEqual([3, 792]);
      const row = processes[Number(pid)]?.find((one) => one.descriptor === descriptor);
      return row?.info === undefined ? 0 : list(row.info, address, size);
    },
  };
  return {
    name: 'libSystem.B.dylib',
    find: () => undefined,
    require: (name) => ({
      call: (...values) => answers[name]?.(values) ?? -1,
      callAsync: () => Promise.reject(new Error('not on another thread')),
    }),
  };
}

/** Without room, how much is wanted. */
function list(bytes: Buffer, address: NativeValue = 0n, size: NativeValue = 0): number {
  if (Number(size) === 0) {
    return bytes.length;
  }
  const written = bytes.subarray(0, Number(size));
  write(address as bigint, written);
  return written.length;
}

/** struct socket_fdinfo of sys/proc_info.h, by its offsets: kind 256, ports 264, flag 288, addresses 296 and 312, state 344. */
function socketInfo(address: string, port: number, state: number, kind = 2): Buffer {
  const ends = client(address, port);
  const isFour = ends.peerAddress.length === 4;
  const bytes = Buffer.alloc(792);
  bytes.writeInt32LE(kind, 256);
  bytes.writeUInt16BE(ends.ownPort, 264);
  bytes.writeUInt16BE(ends.peerPort, 268);
  bytes.writeUInt8(isFour ? 1 : 2, 288);
  bytes.set(ends.ownAddress, isFour ? 308 : 296);
  bytes.set(ends.peerAddress, isFour ? 324 : 312);
  bytes.writeInt32LE(state, 344);
  return bytes;
}

function client(address: string, remotePort: number): LoopbackEnds {
  const ends = { remoteAddress: address, localAddress: address, remotePort, localPort: 3128 };
  return loopbackEnds(ends) as LoopbackEnds;
}

function i32(...values: readonly number[]): Buffer {
  return Buffer.from(Int32Array.from(values).buffer);
}

function write(address: bigint, bytes: Buffer): void {
  const library = openLibrary(['libc.so.6', 'libSystem.B.dylib', 'msvcrt.dll']);
  const copy = library.require('memcpy', 'pointer', ['pointer', 'pointer', 'usize']);
  using source = NativeMemory.of(bytes);
  copy.call(address, source.address, BigInt(bytes.length));
}
