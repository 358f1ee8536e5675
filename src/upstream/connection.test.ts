import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Peer } from './connection.ts';
import { Connection } from './connection.ts';

/** A connection of this role to a server that does this with its own end. */
async function connected(role: Peer['role'], serve: (socket: Socket) => void) {
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const connection = new Connection(socket, { role, name: 'host:1' });
  connection.patienceMs = 50;
  return {
    connection,
    [Symbol.asyncDispose]: async () => {
      connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe('Connection', () => {
  it.each([
    ['proxy', /is an HTTP proxy there/],
    ['origin', /is a web server there/],
  ] as const)('tells what to check of a silent %s', async (role, hint) => {
    const held: Socket[] = [];
    await using silent = await connected(role, (socket) => void held.push(socket));
    silent.connection.writeHead(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(await failureOf(silent.connection.readHead())).toMatchObject({
      code: 'TIMEOUT',
      message: 'host:1 sent no answer for 0.05 s',
      hint: expect.stringMatching(hint),
    });
    held[0]?.destroy();
  });

  it('does not doubt the address of one that has answered', async () => {
    const held: Socket[] = [];
    await using stalled = await connected('proxy', (socket) => {
      held.push(socket);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    });
    const { connection } = stalled;
    await connection.readHead();
    await connection.read();
    expect(await failureOf(connection.read())).toMatchObject({
      message: 'host:1 sent nothing more for 0.05 s',
      hint: expect.stringMatching(/^Try again/),
    });
    held[0]?.destroy();
  });

  it('has a hint where the connection is reset', async () => {
    await using reset = await connected('proxy', (socket) =>
      socket.once('data', () => socket.resetAndDestroy()),
    );
    reset.connection.writeHead(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(await failureOf(reset.connection.readHead())).toMatchObject({
      code: 'CONNECTION_LOST',
      message: 'The connection to host:1 broke (ECONNRESET)',
      hint: expect.stringMatching(/is an HTTP proxy there/),
    });
  });

  it('does not wait with a body for a connection that has closed meanwhile', async () => {
    await using closed = await connected('proxy', (socket) => void socket.end());
    const { connection } = closed;
    expect(await connection.read()).toBe(null);
    if (!connection.socket.closed) {
      await once(connection.socket, 'close');
    }
    await connection.write(Buffer.alloc(100_000), () => false);
    expect(await failureOf(connection.readHead())).toMatchObject({ code: 'CONNECTION_LOST' });
  });
});
