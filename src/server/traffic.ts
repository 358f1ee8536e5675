// What passes through the local proxy, in numbers: clients, tunnels, bytes. Owns the counts; costs a client one entry, and a
// byte nothing, for sockets count theirs themselves.
import type { Socket } from 'node:net';

/** Since the proxy began, but for what is open now. Bytes are those on the clients' connections. */
export interface ServerCounts {
  readonly clientsOpen: number;
  readonly clients: number;
  readonly tunnelsOpen: number;
  readonly tunnels: number;
  /** From clients. */
  readonly bytesUp: number;
  /** To clients. */
  readonly bytesDown: number;
}

interface Client {
  /** The one that counts: a tunnel takes the connection over. */
  socket: Socket;
  isTunnel: boolean;
}

export class Traffic {
  readonly #open = new Map<Socket, Client>();
  #clients = 0;
  #tunnels = 0;
  #tunnelsOpen = 0;
  #bytesUp = 0;
  #bytesDown = 0;

  /** Counts a client until it closes. */
  enter(socket: Socket): void {
    const client: Client = { socket, isTunnel: false };
    this.#open.set(socket, client);
    this.#clients += 1;
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#bytesUp += client.socket.bytesRead;
      this.#bytesDown += client.socket.bytesWritten;
      this.#tunnelsOpen -= client.isTunnel ? 1 : 0;
    });
  }

  /** From now on this client is a tunnel, and its connection is read by another socket. */
  becomesTunnel(socket: Socket, reader: Socket): void {
    this.#tunnels += 1;
    const client = this.#open.get(socket);
    if (client !== undefined) {
      client.socket = reader;
      client.isTunnel = true;
      this.#tunnelsOpen += 1;
    }
  }

  counts(): ServerCounts {
    let [bytesUp, bytesDown] = [this.#bytesUp, this.#bytesDown];
    for (const { socket } of this.#open.values()) {
      bytesUp += socket.bytesRead;
      bytesDown += socket.bytesWritten;
    }
    return {
      clientsOpen: this.#open.size,
      clients: this.#clients,
      tunnelsOpen: this.#tunnelsOpen,
      tunnels: this.#tunnels,
      bytesUp,
      bytesDown,
    };
  }
}
