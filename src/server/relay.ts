// Bytes both ways between a client and its tunnel, until both sides have ended. Owns back-pressure and half-close: the end
// of one direction leaves the other open, and nothing is cut for being silent.
import type { Socket } from 'node:net';
import type { TakeBytes } from './bulk-reader.ts';
import { bulkReader } from './bulk-reader.ts';

/**
 * Takes both sockets over.
 *
 * @param ahead bytes of the client that were read before, for the tunnel
 * @param taken is told the socket by which the client is read from now on
 * @returns resolves when both are closed
 */
export async function relay(
  client: Socket,
  tunnel: Socket,
  ahead: Buffer,
  taken?: (reader: Socket) => void,
): Promise<void> {
  const near = bulkReader(client, tunnel);
  const far = bulkReader(tunnel, client);
  taken?.(near.socket);
  const closed = Promise.all([
    closesWith(near.socket, far.socket),
    closesWith(far.socket, near.socket),
  ]);
  if (ahead.length > 0) {
    far.socket.write(ahead);
  }
  near.start(writeTo(far.socket), () => far.socket.end());
  far.start(writeTo(near.socket), () => near.socket.end());
  await closed;
}

/** Waits until what was written last has left: its buffer is wanted back. */
function writeTo(socket: Socket): TakeBytes {
  let unflushed = 0;
  let resume: (() => void) | null = null;
  const flushed = (): void => {
    unflushed -= 1;
    if (unflushed === 0 && resume !== null) {
      const goOn = resume;
      resume = null;
      goOn();
    }
  };
  return (bytes, goOn) => {
    unflushed += 1;
    socket.write(bytes, flushed);
    if (socket.writableLength === 0) {
      return true;
    }
    resume = goOn;
    return false;
  };
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
