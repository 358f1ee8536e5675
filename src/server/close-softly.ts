// The end of a client's connection on which something was answered.
import type { Socket } from 'node:net';

/** What the client has still on its way is taken for this long. */
const LINGER_MS = 1000;

/** Ends our side once all is written, and waits for the other: a close with unread bytes would reset what is on its way. */
export function closeSoftly(socket: Socket): void {
  if (socket.destroyed) {
    return;
  }
  socket.on('error', () => undefined);
  socket.end(() => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  });
  socket.resume();
}
