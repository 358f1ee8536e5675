// Bytes both ways between a client and its tunnel, until both sides have ended. Owns back-pressure and half-close: the end
// of one direction leaves the other open, and nothing is cut for being silent.
import type { Socket } from 'node:net';

/** Resolves when both sockets are closed. */
export async function relay(client: Socket, tunnel: Socket): Promise<void> {
  tunnel.allowHalfOpen = true;
  const closed = Promise.all([closesWith(client, tunnel), closesWith(tunnel, client)]);
  client.pipe(tunnel);
  tunnel.pipe(client);
  await closed;
}

/** When a socket is gone, nobody is left to read what the other one brings. */
function closesWith(socket: Socket, other: Socket): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      if (!(other.readableEnded && other.writableEnded)) {
        other.destroy();
      }
      resolve();
    };
    socket.on('error', () => socket.destroy());
    socket.closed ? end() : socket.once('close', end);
  });
}
