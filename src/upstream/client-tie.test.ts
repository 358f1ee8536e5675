import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientTie } from './client-tie.ts';
import { Connection } from './connection.ts';

const far: Socket[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer((socket) => void far.push(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  for (const socket of far) {
    socket.destroy();
  }
  server.close();
});

async function connection(): Promise<Connection> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
  return new Connection(socket, { role: 'origin', name: 'origin.example:80' });
}

describe('ClientTie', () => {
  it('keeps eight connections, and ends the one that has waited longest for a ninth', async () => {
    const owner = {};
    using tie = new ClientTie();
    const all: Connection[] = [];
    for (let at = 0; at < 9; at += 1) {
      const one = await connection();
      all.push(one);
      tie.put(owner, `origin ${at}`, one);
    }
    expect(all.map(({ socket }) => socket.destroyed)).toEqual([
      true,
      ...Array.from({ length: 8 }, () => false),
    ]);
    expect(tie.take(owner, 'origin 0')).toBeNull();
    expect(tie.take(owner, 'origin 8')).toBe(all[8]);
    all[8]?.destroy();
  });

  it('has room where one of the same origin comes back', async () => {
    const owner = {};
    using tie = new ClientTie();
    const all: Connection[] = [];
    for (let at = 0; at < 8; at += 1) {
      const one = await connection();
      all.push(one);
      tie.put(owner, `origin ${at}`, one);
    }
    const again = await connection();
    tie.put(owner, 'origin 7', again);
    expect(all.map(({ socket }) => socket.destroyed)).toEqual([
      ...Array.from({ length: 7 }, () => false),
      true,
    ]);
    expect(tie.take(owner, 'origin 7')).toBe(again);
    again.destroy();
  });

  it('gives an upstream what it has put itself, and keeps on for the next one', async () => {
    const [before, now] = [{}, {}];
    using tie = new ClientTie();
    const [first, second, late] = [await connection(), await connection(), await connection()];
    tie.put(before, 'origin', first);
    expect(tie.take(now, 'origin')).toBeNull();
    tie.put(now, 'origin', second);
    expect([first.socket.destroyed, second.socket.destroyed]).toEqual([true, false]);
    expect(tie.take(before, 'origin')).toBeNull();
    expect(tie.take(now, 'origin')).toBe(second);
    tie.put(before, 'origin', late);
    expect(tie.take(now, 'origin')).toBeNull();
    second.destroy();
  });
});
