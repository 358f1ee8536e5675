// A web server with one file, which the test may change, cut and deny between two requests: for downloads that are continued
// or tried again. Speaks Range and If-Range as a good server does, and badly where it is told to.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { CERTIFICATES } from './network.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FileServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** What was asked for, one after the other. */
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingHttpHeaders;
  }[];
  /** The file, whatever the path. */
  body: Buffer;
  /** ETag, Last-Modified and the like. */
  validators: Record<string, string>;
  /** After how many bytes of the body the connection breaks, one answer after the other. */
  readonly cuts: number[];
  /** What is answered instead, one request after the other. */
  readonly instead: Answer[];
  /** Sends a part whatever the version. */
  ignoresIfRange: boolean;
}

export async function createFileServer(
  body: Buffer,
  {
    tls = false,
    validators = { etag: '"v1"' },
  }: { tls?: boolean; validators?: Record<string, string> } = {},
): Promise<FileServer> {
  const sockets = new Set<Socket>();
  const answer: Answer = (request, response) => {
    const { method = '', url = '', headers } = request;
    server.requests.push({ method, url, headers });
    const other = server.instead.shift();
    // Not before the request is there: Node leaves the rest of an upload unread.
    request.resume().on('end', () => {
      other === undefined ? serve(server, request, response) : other(request, response);
    });
  };
  const listener = tls ? createTlsServer(CERTIFICATES, answer) : createServer(answer);
  listener.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const server: FileServer = {
    url: `${tls ? 'https' : 'http'}://${host}`,
    host,
    requests: [],
    body,
    validators,
    cuts: [],
    instead: [],
    ignoresIfRange: false,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
  return server;
}

/** An error status without a body. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(code, { 'content-length': '0', ...headers }).end();
  };
}

/** Header fields and body as they are. */
export function page(code: number, headers: Record<string, string>, text: string): Answer {
  return (_request, response) => {
    response.writeHead(code, { 'content-length': String(text.length), ...headers }).end(text);
  };
}

function serve(server: FileServer, { headers }: IncomingMessage, response: ServerResponse): void {
  const { body, validators } = server;
  const first = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  const condition = headers['if-range'];
  const isSame =
    condition === undefined ||
    server.ignoresIfRange ||
    condition === (validators['etag'] ?? validators['last-modified']);
  if (first === undefined || !isSame) {
    send(server, response, 200, body, validators);
    return;
  }
  if (Number(first) >= body.length) {
    status(416, { 'content-range': `bytes */${body.length}` })({} as never, response);
    return;
  }
  const range = `bytes ${first}-${body.length - 1}/${body.length}`;
  send(server, response, 206, body.subarray(Number(first)), {
    ...validators,
    'content-range': range,
  });
}

function send(
  { cuts }: FileServer,
  response: ServerResponse,
  code: number,
  bytes: Buffer,
  headers: Record<string, string>,
): void {
  response.writeHead(code, { 'content-length': String(bytes.length), ...headers });
  const cut = cuts.shift();
  if (cut === undefined || cut >= bytes.length) {
    response.end(bytes);
    return;
  }
  // The callback comes once the bytes are with the kernel; ending earlier could lose them.
  response.write(bytes.subarray(0, cut), () => response.socket?.end());
}
