// A TCP server that says what the test dictates: for peers the embedded proxy is too well-mannered to play.
import type { ServerOpts, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Connections accepted so far. */
  connections(): number;
}

/** @param tls certificate and key, where it is to speak TLS */
export async function createRawServer(
  serve: (socket: Socket) => void,
  tls?: TlsOptions,
  options: ServerOpts = {},
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const accept = (socket: Socket): void => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  };
  const server = tls === undefined ? createServer(options, accept) : createTlsServer(tls, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    connections: () => accepted,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
