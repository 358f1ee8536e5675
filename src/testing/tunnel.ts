// CONNECT: the connection to the target, and bytes both ways until both sides have ended.
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** Host and port of a CONNECT target; `null` when it is not `host:port`. */
export function parseAuthority(target: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@/?#\s]+)):(\d{1,5})$/.exec(target);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}

/** Connects to a target; `null` when it cannot be reached or the client has gone meanwhile. */
export function connectTo(
  target: { readonly host: string; readonly port: number },
  client: Socket,
): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const giveUp = () => socket.destroy();
    client.once('close', giveUp);
    socket.once('connect', () => resolve(socket));
    socket.on('error', giveUp);
    socket.once('close', () => {
      client.removeListener('close', giveUp);
      resolve(null);
    });
  });
}

/** Relays until both sockets are closed. The end of one direction leaves the other open. */
export async function relay(client: Socket, origin: Socket): Promise<void> {
  const closed = Promise.all([closeTogether(client, origin), closeTogether(origin, client)]);
  client.pipe(origin);
  origin.pipe(client);
  await closed;
}

/** When a socket is gone, nobody is left to read what the other one brings. */
function closeTogether(socket: Socket, other: Socket): Promise<void> {
  return new Promise((resolve) => {
    const onClose = () => {
      if (!(other.readableEnded && other.writableEnded)) {
        other.destroy();
      }
      resolve();
    };
    if (socket.closed) {
      onClose();
    } else {
      socket.once('close', onClose);
    }
  });
}

/** The first packet of an origin that speaks first; `null` when it stays silent for so long. */
export function firstBytes(origin: Socket, waitMs: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      for (const event of ['readable', 'end', 'close']) {
        origin.removeListener(event, settle);
      }
      resolve(origin.read());
    };
    const timer = setTimeout(settle, waitMs);
    for (const event of ['readable', 'end', 'close']) {
      origin.on(event, settle);
    }
  });
}
