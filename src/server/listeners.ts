// One port on several addresses. Owns binding, exclusively, and the end of what was accepted.
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';

/** A port that is free on one family may be taken on the other. */
const MAX_TRIES = 20;
/** Nothing is cut for being silent: the system asks whether the client is still there. */
const KEEP_ALIVE_AFTER_MS = 30_000;

export interface Listeners {
  readonly port: number;
  /** Accepts nobody any more; resolves when nobody is left. */
  stop(): Promise<void>;
  /** Ends whoever is left. */
  cut(): void;
}

/**
 * @param hosts addresses; `::1` may be missing on this machine
 * @param port 0 for a free one
 * @throws SallyportError OPTION_INVALID when the port is taken or not to be had
 */
export async function listen(
  hosts: readonly string[],
  port: number,
  serve: (socket: Socket) => void,
): Promise<Listeners> {
  for (let tries = 1; ; tries += 1) {
    const sockets = new Set<Socket>();
    const accept = (socket: Socket): void => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serve(socket);
    };
    const servers: Server[] = [];
    try {
      let own = port;
      for (const host of hosts) {
        const server = await bind(host, own, accept);
        if (server !== null) {
          servers.push(server);
          own = portOf(server);
        }
      }
      return listenersOf(own, servers, sockets);
    } catch (error) {
      await Promise.all(servers.map(close));
      if (port !== 0 || tries === MAX_TRIES) {
        throw taken(port, error);
      }
    }
  }
}

const ACCEPTED = { allowHalfOpen: true, noDelay: true, keepAlive: true };

/** @returns `null` where the machine has no such family */
function bind(
  host: string,
  port: number,
  accept: (socket: Socket) => void,
): Promise<Server | null> {
  const server = createServer({ ...ACCEPTED, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS }, accept);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT';
      isMissing && host === '::1' ? resolve(null) : reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function listenersOf(
  port: number,
  servers: readonly Server[],
  sockets: ReadonlySet<Socket>,
): Listeners {
  return {
    port,
    stop: async () => {
      await Promise.all(servers.map(close));
    },
    cut: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function taken(port: number, cause: unknown): SallyportError {
  const word = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new SallyportError(
    'OPTION_INVALID',
    `Port ${port} on this machine is not to be had (${word})`,
    {
      cause,
      hint: hintFor(word),
    },
  );
}

function hintFor(word: string): string {
  return word === 'EADDRNOTAVAIL'
    ? 'This machine does not have the address of --listen.'
    : 'Another program listens there. Name another port in --listen, or 0 for any that is free.';
}
