import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Place } from './client-places.ts';
import { ClientPlaces } from './client-places.ts';

/** More than the system takes for a reader that stands still. */
const ANSWER_BYTES = 32 * 1024 * 1024;

/** One client of places that answer it at once, and do not wait until it has read. */
async function withOneClient(
  test: (one: { places: ClientPlaces; client: Socket; place: Place; served: Socket }) => unknown,
): Promise<void> {
  let place: Place | undefined;
  let served: Socket | undefined;
  const places = new ClientPlaces({
    ...{ capacity: 2, waiting: 1, leaving: 1, turnAway: (socket) => socket.destroy() },
    serve: (socket, given) => {
      [place, served] = [given, socket];
      socket.write(Buffer.alloc(ANSWER_BYTES));
    },
  });
  const server = createServer((socket) => places.enter(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  try {
    await once(server, 'connection');
    if (place === undefined || served === undefined) {
      throw new Error('nobody was served');
    }
    await test({ places, client, place, served });
  } finally {
    client.destroy();
    served?.destroy();
    server.close();
  }
}

async function bytesOf(client: Socket): Promise<number> {
  let bytes = 0;
  client.on('data', ({ length }) => (bytes += length)).resume();
  await once(client, 'close');
  return bytes;
}

describe('the end of the proxy', () => {
  it('leaves a client that rests the rest of its answer', () =>
    withOneClient(async ({ places, client, place }) => {
      place.rests();
      places.close();
      expect(await bytesOf(client)).toBe(ANSWER_BYTES);
    }));

  it('ends a client that comes to rest behind it, when it has its answer', () =>
    withOneClient(async ({ places, client, place }) => {
      places.close();
      place.rests();
      expect(await bytesOf(client)).toBe(ANSWER_BYTES);
    }));

  it('waits for one that works again', () =>
    withOneClient(async ({ places, client, place, served }) => {
      place.rests();
      places.close();
      place.works();
      client.resume();
      await new Promise((resolve) => served.write('', resolve));
      expect(served.destroyed).toBe(false);
    }));
});
