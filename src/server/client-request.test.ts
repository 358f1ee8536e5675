import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { Connection } from '../upstream/connection.ts';
import { readClientRequest } from './client-request.ts';

it('readClientRequest() gives a head its time as a whole, however it drips', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const slow = connect(typeof address === 'object' && address !== null ? address.port : 0);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const drip = setInterval(() => slow.write('X'), 20);
  slow.on('error', () => undefined);
  const started = performance.now();
  const client = new Connection(socket, { role: 'client', name: 'The client' });
  await expect(readClientRequest(client, () => undefined, 200)).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: 'The client took more than 0.2 s over its request',
  });
  expect(performance.now() - started).toBeLessThan(1000);
  clearInterval(drip);
  slow.destroy();
  server.close();
});
