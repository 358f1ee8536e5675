// The relay itself as a contender: a byte there and back over an open connection must take the round-trip time it
// was told, or no other figure of that distance means anything.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Contender } from './contender.ts';
import { sampleOf } from './contender.ts';
import type { Relays } from './relays.ts';

export interface Ping extends AsyncDisposable {
  readonly contender: Contender;
}

export async function preparePing(relays: Relays, rttMs: number): Promise<Ping> {
  const echo = createServer({ noDelay: true }, (client) => {
    client.on('error', () => undefined).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  const relay = await relays.open({ host: '127.0.0.1', port }, rttMs);
  let socket: Socket | undefined;
  return {
    contender: {
      id: 'ping',
      title: 'a byte there and back, connection open',
      measure: async () => {
        socket ??= connect({ port: relay.port, host: '127.0.0.1', noDelay: true });
        const started = performance.now();
        socket.write('.');
        await once(socket, 'data');
        return sampleOf(performance.now() - started);
      },
    },
    [Symbol.asyncDispose]: async () => {
      socket?.destroy();
      await new Promise((resolve) => echo.close(resolve));
    },
  };
}
