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
const TRIES = 20;

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

/**
 * The least of some tries, each with a connection of its own: what a busy machine adds to all of them is not its timers.
 * None may be too early.
 */
async function expectNear(
  rttMs: number,
  expected: readonly number[],
  measure: (socket: Socket) => Promise<readonly number[]>,
): Promise<void> {
  await using relay = await createDelayingRelay({ target, rttMs });
  const least = expected.map(() => Number.POSITIVE_INFINITY);
  const isNear = () => least.every((ms, at) => ms <= (expected[at] ?? 0) + LATE_MS);
  for (let tries = 0; tries < TRIES && !isNear(); tries += 1) {
    const socket = connect(relay.port, relay.host);
    await once(socket, 'connect');
    for (const [at, ms] of (await measure(socket)).entries()) {
      expect(ms).toBeGreaterThanOrEqual((expected[at] ?? 0) - EARLY_MS);
      least[at] = Math.min(least[at] ?? 0, ms);
    }
    socket.destroy();
  }
  expect(isNear(), `${least} ms instead of ${expected} ms`).toBe(true);
}

describe('createDelayingRelay()', () => {
  it('takes two round trips for the first answer and one for each further', async () => {
    await expectNear(RTT_MS, [2 * RTT_MS, RTT_MS, RTT_MS], async (socket) => [
      await reply(socket, 'first'),
      await reply(socket, 'second'),
      await reply(socket, 'third'),
    ]);
  });

  it('lets a connection wait for its handshake only as long as it is new', async () => {
    await expectNear(RTT_MS, [RTT_MS], async (socket) => {
      await wait(RTT_MS + 5);
      return [await reply(socket, 'late')];
    });
  });

  it('hands on at once when there is no distance', async () => {
    await expectNear(0, [0], async (socket) => [await reply(socket, 'near')]);
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
