// Waiting until a socket takes more.
import type { Socket } from 'node:net';

/** Resolves when the socket takes more, or is closed; leaves no listener behind. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    if (socket.destroyed) {
      resolve();
      return;
    }
    socket.on('drain', done);
    socket.on('close', done);
  });
}
