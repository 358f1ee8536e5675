// A listening server and its end, for proxy and origin alike. Owns every socket it accepted.
import type { Server, Socket } from 'node:net';

/** What the public servers have in common. */
export interface Listener extends AsyncDisposable {
  /** `http://host:port`, or `https:` with TLS. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Ends every connection and resolves when nothing is left. */
  close(): Promise<void>;
}

/** @throws the system's error, `EADDRINUSE` where the port is taken */
export async function openListener(
  server: Server,
  options: { readonly host?: string; readonly port?: number; readonly tls?: object },
): Promise<Listener> {
  const host = options.host ?? '127.0.0.1';
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  // With TLS this is the TCP socket beneath; it ends with the one above, and may never get one.
  server.on('connection', track);
  server.on('secureConnection', track);
  // A client that breaks off the TLS handshake is its own affair.
  server.on('tlsClientError', () => undefined);
  await listen(server, host, options.port ?? 0);
  const port = portOf(server);
  const close = (): Promise<void> => closeAll(server, sockets);
  return {
    url: `${options.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    host,
    port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) {
      socket.destroy();
    }
  });
}
