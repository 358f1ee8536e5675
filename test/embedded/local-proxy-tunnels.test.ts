// CONNECT and WebSocket upgrades through the local proxy: bytes both ways, half-close, back-pressure, and both ends together.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { originBytes } from '../../src/testing/index.ts';
import type { Stage } from './local-proxy-stage.ts';
import { createStage } from './local-proxy-stage.ts';
import { CERTIFICATES } from './network.ts';
import type { RawClient } from './raw-client.ts';
import { createRawServer } from './raw-server.ts';

/** A TCP server that echoes, and ends when the other side has. */
const createEcho = () => createRawServer((socket) => socket.pipe(socket));

/** Sends CONNECT, and what is given behind it in the same packet. */
async function open(stage: Stage, port: number, behind = ''): Promise<RawClient> {
  const client = await stage.client();
  client.send([`CONNECT 127.0.0.1:${port} HTTP/1.1`, 'Host: x', stage.token], behind);
  const { head, rest } = await client.response('CONNECT');
  expect(head.status).toBe(200);
  expect(head.headers.fields).toEqual([]);
  client.socket.unshift(rest);
  return client;
}

async function received(client: RawClient, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let got = 0; got < length; ) {
    const piece = await client.read();
    if (piece === null) {
      break;
    }
    pieces.push(piece);
    got += piece.length;
  }
  return Buffer.concat(pieces);
}

/** The second reads its upstream by events, the first by the shared buffer. */
const UPSTREAMS = [
  ['plain', {}],
  ['TLS', { tls: CERTIFICATES }],
] as const;

describe.each(UPSTREAMS)('a tunnel through a %s proxy', (_kind, corporate) => {
  it('carries bytes both ways unchanged, those sent with the CONNECT included', async () => {
    await using echo = await createEcho();
    await using stage = await createStage({ corporate });
    await using client = await open(stage, echo.port, 'early ');
    const bytes = originBytes(3_000_000);
    client.socket.write(bytes);
    const back = await received(client, 6 + bytes.length);
    expect(back.subarray(0, 6).toString()).toBe('early ');
    expect(back.subarray(6).equals(bytes)).toBe(true);
  });

  it('keeps 24 of them apart, while some do not read', async () => {
    await using echo = await createEcho();
    await using stage = await createStage({ corporate });
    const clients = await Promise.all(Array.from({ length: 24 }, () => open(stage, echo.port)));
    await Promise.all(
      clients.map(async (client, at) => {
        const bytes = Buffer.alloc(2_000_000, at);
        client.socket.write(bytes);
        if (at % 4 === 0) {
          await wait(200);
        }
        expect((await received(client, bytes.length)).equals(bytes)).toBe(true);
      }),
    );
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it('stays half open: what is answered to the end of the request arrives', async () => {
    await using server = await createRawServer(
      (socket) => {
        let length = 0;
        socket.on('data', (bytes) => {
          length += bytes.length;
        });
        socket.on('end', () => setTimeout(() => socket.end(`got ${length}`), 50));
      },
      undefined,
      { allowHalfOpen: true },
    );
    await using stage = await createStage({ corporate });
    await using client = await open(stage, server.port);
    client.socket.end(originBytes(100_000));
    expect((await received(client, 100)).toString()).toBe('got 100000');
  });

  it('holds little of what is not read, and goes on when it is', async () => {
    const total = 60_000_000;
    let sent = 0;
    await using server = await createRawServer((socket) => {
      const piece = Buffer.alloc(1_000_000);
      const more = (): void => {
        while (sent < total) {
          sent += piece.length;
          if (!socket.write(piece)) {
            socket.once('drain', more);
            return;
          }
        }
        socket.end();
      };
      more();
    });
    await using stage = await createStage({ corporate });
    await using client = await open(stage, server.port);
    await vi.waitFor(() => expect(sent).toBeGreaterThan(0));
    await wait(300);
    expect(sent).toBeLessThan(total / 2);
    let got = 0;
    for (let piece = await client.read(); piece !== null; piece = await client.read()) {
      got += piece.length;
    }
    expect(got).toBe(total);
  });

  it.each(['client', 'server'] as const)(
    'ends on both sides when the %s breaks off',
    async (who) => {
      const sockets: Socket[] = [];
      await using server = await createRawServer((socket) => {
        sockets.push(socket);
        socket.resume();
      });
      await using stage = await createStage({ corporate });
      await using client = await open(stage, server.port);
      await vi.waitFor(() => expect(sockets).toHaveLength(1));
      const [far] = sockets;
      const other = who === 'client' ? far : client.socket;
      const closed = other === undefined ? null : once(other, 'close');
      client.socket.on('error', () => undefined);
      (who === 'client' ? client.socket : far)?.resetAndDestroy();
      client.socket.resume();
      await closed;
    },
  );
});

describe('a WebSocket upgrade', () => {
  const lines = (stage: Stage, port: number) => [
    `GET http://127.0.0.1:${port}/chat?x HTTP/1.1`,
    ...['Host: x', stage.token, 'Connection: Upgrade', 'Upgrade: websocket'],
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];

  it('becomes bytes both ways after 101, through a tunnel of its own', async () => {
    const seen: string[] = [];
    await using server = await createRawServer((socket) => {
      socket.once('data', (bytes) => {
        seen.push(bytes.toString('latin1'));
        socket.write(
          'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: abc\r\n\r\nfirst',
        );
        socket.pipe(socket);
      });
    });
    await using stage = await createStage();
    await using client = await stage.client();
    client.send(lines(stage, server.port));
    let text = '';
    while (!text.endsWith('first')) {
      text += await client.read();
    }
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching\r\n/);
    expect(text).toContain('\r\nSec-WebSocket-Accept: abc\r\n');
    expect(text).toMatch(/\r\nUpgrade: websocket\r\n/);
    client.socket.write('hello');
    expect((await client.read())?.toString()).toBe('hello');
    expect(seen[0]).toMatch(/^GET \/chat\?x HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    expect(seen[0]).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    expect(seen[0]).not.toMatch(/authorization/i);
    expect(stage.corporate.counts().tunnels).toBe(1);
  });

  it('that is refused is answered as any request, and the connection ends', async () => {
    const seen: string[] = [];
    await using server = await createRawServer((socket) => {
      socket.on('data', (bytes) => {
        seen.push(bytes.toString('latin1'));
        socket.write('HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nnope');
      });
    });
    await using stage = await createStage();
    await using client = await stage.client();
    client.send(
      lines(stage, server.port),
      `GET http://secret.test/ HTTP/1.1\r\n${stage.token}\r\n\r\n`,
    );
    const { head, body } = await client.response();
    expect([head.status, body.toString()]).toEqual([403, 'nope']);
    expect(head.headers.tokens('connection')).toEqual(['close']);
    expect(await client.read()).toBeNull();
    expect(seen.join('')).not.toMatch(/secret|authorization/i);
  });

  it('to another protocol is passed over: the request is answered without', async () => {
    const seen: string[] = [];
    await using server = await createRawServer((socket) => {
      socket.on('data', (bytes) => {
        seen.push(bytes.toString('latin1'));
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await using stage = await createStage();
    await using client = await stage.client();
    client.send([
      `GET http://127.0.0.1:${server.port}/ HTTP/1.1`,
      ...['Host: x', stage.token, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'],
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ]);
    expect((await client.response()).body.toString()).toBe('ok');
    expect(seen.join('')).not.toMatch(/h2c|http2/i);
    expect(stage.corporate.counts()).toMatchObject({ tunnels: 0, forwarded: 1 });
  });
});
