import { endianness } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { LoopbackEnds } from './loopback-ends.ts';
import { loopbackEnds } from './loopback-ends.ts';
import { findInTables } from './proc-net-tcp.ts';

/** As Linux 6 on x64 prints them. */
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0C38 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0C38 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 32 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:9C40 0100007F:0C38 01 00000000:00000000 00:00000000 00000000 65534        0 33 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:9C41 0100007F:0C38 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0000000000000000
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:0C38 05 00000000:00000000 00:00000000 00000000    42        0 34 1 0000000000000000 20 4 30 10 -1
   1: 0000000000000000FFFF00000100007F:9C42 0000000000000000FFFF00000100007F:0C38 01 00000000:00000000 00:00000000 00000000     7        0 35 1 0000000000000000 20 4 30 10 -1
`;

function client(address: string, remotePort: number): LoopbackEnds {
  const ends = { remoteAddress: address, localAddress: address, remotePort, localPort: 3128 };
  return loopbackEnds(ends) as LoopbackEnds;
}

describe.skipIf(endianness() === 'BE')('findInTables()', () => {
  it('finds the client’s end, never the server’s', () => {
    const found = findInTables([client('127.0.0.1', 40_000)], TCP, TCP6);
    expect(found).toEqual([{ state: 1, uid: 65_534, inode: 33 }]);
  });

  it('finds IPv6, and IPv4 by a socket of IPv6', () => {
    const clients = [client('::1', 40_000), client('127.0.0.1', 40_002)];
    expect(findInTables(clients, TCP, TCP6)).toEqual([
      { state: 5, uid: 42, inode: 34 },
      { state: 1, uid: 7, inode: 35 },
    ]);
  });

  it('tells that nobody holds a closed end', () => {
    const found = findInTables([client('127.0.0.1', 40_001)], TCP, TCP6);
    expect(found).toEqual([{ state: 6, uid: 0, inode: 0 }]);
  });

  it('finds nobody in tables that could not be read', () => {
    expect(findInTables([client('127.0.0.1', 40_000), client('::1', 1)], '', '')).toEqual([
      null,
      null,
    ]);
  });
});
