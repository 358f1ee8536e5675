// The web server and the echo of the soak of the local proxy, in a process of their own. Owns what each page is to hold, and
// which uploads came twice.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import type { OriginOrder, OriginState } from './orders.ts';
import { contentOf } from './plan.ts';

/** With `--plant-faults` one page of so many is another's, and one upload of so many counts twice: each is counted for itself. */
const PLANTED_EACH = { page: 50, upload: 10 };
const plantsFaults = process.argv.includes('--plant-faults');

const uploads = new Set<string>();
const doubled: string[] = [];
const served = { page: 0, upload: 0 };

const pages = createServer((request, response) => void answer(request, response));
const echo = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});

// Where all wait for a processor, a close after five idle seconds would meet the next request: that is no fault of the proxies.
pages.keepAliveTimeout = 0;

process.on('message', ({ do: what }: OriginOrder) => {
  void (what === 'open' ? open() : Promise.resolve(state())).then((told) => process.send?.(told));
});
process.on('disconnect', () => process.exit(0));

async function open(): Promise<OriginState> {
  await Promise.all(
    [pages, echo].map(
      (server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)),
    ),
  );
  pages.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Id: ${idOf(request)}\r\n\r\n`,
    );
    socket.write(head);
    socket.pipe(socket);
  });
  return state();
}

function state(): OriginState {
  return { page: portOf(pages), echo: portOf(echo), doubled };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** `/ID/LENGTH`; an upload is compared, a page is made. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = idOf(request);
  const length = Number(request.url?.split('/')[2]);
  const kind = request.method === 'POST' ? 'upload' : 'page';
  served[kind] += 1;
  const isPlanted = plantsFaults && served[kind] % PLANTED_EACH[kind] === 0;
  request.on('error', () => response.destroy());
  if (kind === 'upload') {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (uploads.has(id) || isPlanted) {
        doubled.push(id);
      }
      uploads.add(id);
      const isWhole = Buffer.concat(pieces).equals(contentOf(id, length));
      response.setHeader('X-Id', id).end(isWhole ? 'whole' : 'not what was sent');
    });
    return;
  }
  request.resume();
  const content = contentOf(isPlanted ? `not-${id}` : id, length);
  response.setHeader('X-Id', id);
  if (length % 2 === 0) {
    response.setHeader('Content-Length', length);
  }
  response.write(content.subarray(0, length / 2));
  response.end(content.subarray(length / 2));
}

function idOf({ url }: IncomingMessage): string {
  return url?.split('/')[1] ?? '';
}
