// Which connections each user has signed on, over all of one proxy. Owns the count that a cap looks at.
import type { Socket } from 'node:net';

export class SignedOnConnections {
  readonly #byUser = new Map<string, Set<Socket>>();

  /**
   * Counts a connection in, until it closes.
   *
   * @returns false when the user has `cap` others already: it is then not counted
   */
  admit(user: string, socket: Socket, cap: number): boolean {
    const sockets = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, sockets);
    if (sockets.has(socket)) {
      return true;
    }
    if (sockets.size >= cap || socket.destroyed) {
      return false;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return true;
  }
}
