import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from './connection.ts';
import type { ReadyEnd } from './pool.ts';
import { Pool } from './pool.ts';

const far: Socket[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer((socket) => void far.push(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => void server.close());

async function connection(): Promise<Connection> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
  return new Connection(socket, { role: 'proxy', name: 'proxy.example:3128' });
}

describe('Pool', () => {
  const ends: ReadyEnd[] = [];
  const ready = (idleMs = 10_000) => ({ idleMs, ended: (how: ReadyEnd) => void ends.push(how) });

  it('hands out the kind that is asked for first, the other where there is none', async () => {
    const pool = new Pool();
    const [used, ahead] = [await connection(), await connection()];
    pool.put('a', used);
    pool.put('a', ahead, ready());
    expect([pool.count('a'), pool.count('b')]).toEqual([2, 0]);
    expect(pool.take('a', 'used')).toBe(used);
    expect(pool.take('a', 'used')).toBe(ahead);
    expect(pool.take('a', 'used')).toBeNull();
    expect(ends.splice(0)).toEqual(['used']);
    used.destroy();
    ahead.destroy();
  });

  it('leaves where they are those that do not fit', async () => {
    const pool = new Pool();
    pool.put('a', await connection());
    expect(pool.take('a', 'used', ({ signedOn }) => signedOn !== null)).toBeNull();
    expect(pool.count('a')).toBe(1);
    pool.close();
    expect(pool.count('a')).toBe(0);
  });

  it('loses a connection as soon as the other side closes it', async () => {
    const pool = new Pool();
    pool.put('a', await connection(), ready());
    far.at(-1)?.end();
    await expect.poll(() => pool.count('a'), { timeout: 5000 }).toBe(0);
    expect(ends.splice(0)).toEqual(['closed']);
  });

  it('ends what was signed on ahead after its time, or when it is told to', async () => {
    const pool = new Pool();
    pool.put('a', await connection(), ready(20));
    await expect.poll(() => pool.count('a'), { timeout: 5000 }).toBe(0);
    const used = await connection();
    pool.put('a', used);
    pool.put('a', await connection(), ready());
    expect(pool.dropReady('a')).toBe(1);
    expect(pool.take('a')).toBe(used);
    used.destroy();
    expect(ends.splice(0)).toEqual(['expired', 'dropped']);
  });

  it('keeps 32 that were used', async () => {
    const pool = new Pool();
    for (let count = 0; count < 34; count += 1) {
      pool.put('a', await connection());
    }
    expect(pool.count('a')).toBe(32);
    pool.close();
  });
});
