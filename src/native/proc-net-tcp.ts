// Linux without FFI: whose a connection is, from the table of all of them in /proc/net. Owns its format (proc_pid_net(5)).
import { readFile } from 'node:fs/promises';
import type { LoopbackEnds } from './loopback-ends.ts';
import type { SocketOwner } from './sock-diag.ts';

/** The peers' ends, by reading both tables once. A table that cannot be read has nobody in it. */
export async function findInProcNet(
  connections: readonly LoopbackEnds[],
): Promise<(SocketOwner | null)[]> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(readTable);
  const [tcp = '', tcp6 = ''] = await Promise.all(tables);
  return findInTables(connections, tcp, tcp6);
}

/** A program that speaks IPv4 by a socket of IPv6 stands in the second table. */
export function findInTables(
  connections: readonly LoopbackEnds[],
  tcp: string,
  tcp6: string,
): (SocketOwner | null)[] {
  return connections.map((ends) =>
    ends.peerAddress.length === 4
      ? (findRow(tcp, ends, (address) => address) ?? findRow(tcp6, ends, mapped))
      : findRow(tcp6, ends, (address) => address),
  );
}

/** `sl local rem st tx:rx tr:tm retrnsmt uid timeout inode`, blanks between. */
function findRow(
  table: string,
  { peerAddress, peerPort, ownAddress, ownPort }: LoopbackEnds,
  form: (address: Buffer) => Buffer,
): SocketOwner | null {
  const ends = `${end(form(peerAddress), peerPort)} ${end(form(ownAddress), ownPort)} `;
  const at = table.indexOf(` ${ends}`);
  if (at === -1) {
    return null;
  }
  const start = at + 1 + ends.length;
  const fields = table.slice(start, table.indexOf('\n', start)).trim().split(/ +/);
  const [state = '', , , , uid = '', , inode = ''] = fields;
  return { state: Number.parseInt(state, 16), uid: Number(uid), inode: Number(inode) };
}

/** Words of 32 bits as this machine has them, in hexadecimal. */
function end(address: Buffer, port: number): string {
  const words: string[] = [];
  for (let at = 0; at < address.length; at += 4) {
    const [word = 0] = new Uint32Array(Uint8Array.from(address.subarray(at, at + 4)).buffer);
    words.push(word.toString(16).padStart(8, '0'));
  }
  return `${words.join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

function mapped(address: Buffer): Buffer {
  return Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), address]);
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return '';
  }
}
