// The relay that stands for distance in `npm run bench`: its delays, its order and that it passes everything on.
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDelayingRelay } from '../../benchmarks/delaying-relay.ts';

const RTT_MS = 60;
/** Timers of others hold ours up on a busy machine; too early is always wrong. */
const LATE_MS = 40;
const EARLY_MS = 3;

let echo: Server;
const target = { host: '127.0.0.1', port: 0 };

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).pipe(socket);
  }).listen(0, target.host);
  await once(echo, 'listening');
  target.port = (echo.address() as AddressInfo).port;
});

afterEach(async () => {
  await new Promise((resolve) => echo.close(resolve));
});

async function reply(socket: Socket, bytes: string): Promise<number> {
  const started = performance.now();
  socket.write(bytes);
  await once(socket, 'data');
  return performance.now() - started;
}

function expectNear(ms: number, expected: number): void {
  expect(ms).toBeGreaterThanOrEqual(expected - EARLY_MS);
  expect(ms).toBeLessThanOrEqual(expected + LATE_MS);
}

describe('createDelayingRelay()', () => {
  it('takes two round trips for the first answer and one for each further', async () => {
    await using relay = await createDelayingRelay({ target, rttMs: RTT_MS });
    const socket = connect(relay.port, relay.host);
    await once(socket, 'connect');
    expectNear(await reply(socket, 'first'), 2 * RTT_MS);
    expectNear(await reply(socket, 'second'), RTT_MS);
    expectNear(await reply(socket, 'third'), RTT_MS);
    socket.destroy();
  });

  it('lets a connection wait for its handshake only as long as it is new', async () => {
    await using relay = await createDelayingRelay({ target, rttMs: RTT_MS });
    const socket = connect(relay.port, relay.host);
    await once(socket, 'connect');
    await wait(RTT_MS + 5);
    expectNear(await reply(socket, 'late'), RTT_MS);
    socket.destroy();
  });

  it('hands on at once when there is no distance', async () => {
    await using relay = await createDelayingRelay({ target, rttMs: 0 });
    const socket = connect(relay.port, relay.host);
    expectNear(await reply(socket, 'near'), 0);
    socket.destroy();
  });

  it('passes 20 MB on to the byte though the client reads late, and ends behind them', async () => {
    await using relay = await createDelayingRelay({ target, rttMs: 4 });
    const socket = connect(relay.port, relay.host);
    const piece = Buffer.from(Array.from({ length: 65_537 }, (_, at) => at % 251));
    const pieces = 320;
    for (let at = 0; at < pieces; at += 1) {
      socket.write(piece);
    }
    socket.end();
    await wait(50);
    let received = 0;
    let wrong = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      const at = received % piece.length;
      wrong += chunk[0] === piece[at] ? 0 : 1;
      received += chunk.length;
    }
    expect({ received, wrong }).toEqual({ received: pieces * piece.length, wrong: 0 });
  });

  it('shows its onlooker what it hands on', async () => {
    const seen: string[] = [];
    const watch = () => ({
      fromClient: (bytes: Buffer) => void seen.push(`> ${bytes}`),
      fromServer: (bytes: Buffer) => void seen.push(`< ${bytes}`),
    });
    await using relay = await createDelayingRelay({ target, rttMs: 2, watch });
    const socket = connect(relay.port, relay.host);
    await reply(socket, 'look');
    expect(seen).toEqual(['> look', '< look']);
    socket.destroy();
  });

  it('closes the client when the server cannot be reached', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    await using relay = await createDelayingRelay({
      target: { host: '127.0.0.1', port },
      rttMs: 2,
    });
    const socket = connect(relay.port, relay.host);
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });
});
