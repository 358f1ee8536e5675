// Where tunnels lead to, in a process of its own: sends as many bytes as it is asked for, counts what it is sent, or says it again.
// Tells its parent the port and ends with it.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

/** What the parent is told. */
export interface TunnelEndAddress {
  /** `127.0.0.1:port` */
  readonly target: string;
}

const PIECE = Buffer.alloc(262_144, 'D');

process.on('disconnect', () => process.exit(0));
const server = createServer(
  { noDelay: true },
  (socket) => void serve(socket.on('error', () => undefined)),
);
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 });
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
process.send?.({ target: `127.0.0.1:${port}` } satisfies TunnelEndAddress);

async function serve(socket: Socket): Promise<void> {
  const [first] = (await once(socket, 'data')) as [Buffer];
  const [, what, bytes = ''] = /^(down|up) (\d+)\n/.exec(first.toString('latin1', 0, 30)) ?? [];
  if (what === 'down') {
    send(socket, Number(bytes));
  } else if (what === 'up') {
    count(socket, Number(bytes), first.length - first.indexOf('\n') - 1);
  } else {
    socket.write(first);
    socket.pipe(socket);
  }
}

function send(socket: Socket, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
      left -= piece.length;
      if (!socket.write(piece)) {
        return;
      }
    }
    socket.end();
  };
  socket.on('drain', more);
  more();
}

function count(socket: Socket, bytes: number, early: number): void {
  let got = early;
  const take = (length: number): void => {
    got += length;
    if (got >= bytes) {
      socket.end(String(got));
    }
  };
  socket.on('data', (piece: Buffer) => take(piece.length));
}
