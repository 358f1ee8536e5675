// What loads a local proxy, by bare sockets: small GETs of many clients, one stream each way, many tunnels. Owns these measurements;
// runs in the process of `load-process.ts`, so that nobody else's work is in its event loop.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export type LoadOrder =
  /** GETs of one URL, one behind the other by each client, for so long. */
  | {
      readonly do: 'gets';
      readonly proxy: string;
      readonly url: string;
      readonly clients: number;
      readonly ms: number;
    }
  /** One tunnel to `tunnel-end-process.ts`, and so many bytes from it or to it. */
  | {
      readonly do: 'down' | 'up';
      readonly proxy: string;
      readonly target: string;
      readonly bytes: number;
    }
  /** So many tunnels, which stay open, each of which gets back what it sends. */
  | {
      readonly do: 'tunnels';
      readonly proxy: string;
      readonly target: string;
      readonly count: number;
    }
  | { readonly do: 'close' };

/** Of GETs a second, of streams MB/s, of tunnels how many work. */
export interface LoadAnswer {
  readonly value: number;
}

const PIECE = Buffer.alloc(262_144, 'U');
const MESSAGE = Buffer.alloc(1000, 'm');
const MESSAGES = 5;
/** So many are opened at a time. */
const AT_A_TIME = 32;

let open: Socket[] = [];

/** @throws Error when an answer is not what it has to be */
export async function load(order: LoadOrder): Promise<LoadAnswer> {
  switch (order.do) {
    case 'gets':
      return { value: await gets(order) };
    case 'down':
      return { value: await down(order.proxy, order.target, order.bytes) };
    case 'up':
      return { value: await up(order.proxy, order.target, order.bytes) };
    case 'tunnels':
      return { value: await tunnels(order.proxy, order.target, order.count) };
    case 'close':
      for (const socket of open) {
        socket.destroy();
      }
      open = [];
      return { value: 0 };
  }
}

async function gets(order: LoadOrder & { readonly do: 'gets' }): Promise<number> {
  const { proxy, url, clients, ms } = order;
  const { host } = new URL(url);
  const request = Buffer.from(
    `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\n${tokenLine(proxy)}\r\n`,
  );
  const started = performance.now();
  const counts = await Promise.all(
    Array.from({ length: clients }, () => getAgain(proxy, request, started + ms)),
  );
  return (sum(counts) * 1000) / (performance.now() - started);
}

/** @returns how many were answered; a proxy that closes behind an answer is connected to anew */
async function getAgain(proxy: string, request: Buffer, until: number): Promise<number> {
  let count = 0;
  while (performance.now() < until) {
    count += await getOnOne(proxy, request, until);
  }
  return count;
}

function getOnOne(proxy: string, request: Buffer, until: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = dial(proxy);
    let text = '';
    let count = 0;
    const over = (error?: Error): void => {
      socket.destroy();
      text === '' && count > 0 ? resolve(count) : reject(error ?? new Error('cut'));
    };
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n') + 4;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (end < 4 || text.length < end + length) {
        return;
      }
      if (!text.startsWith('HTTP/1.1 200 ')) {
        reject(new Error(text.slice(0, 200)));
        return;
      }
      text = '';
      count += 1;
      performance.now() < until ? socket.write(request) : over();
    });
    socket.on('error', over);
    socket.on('end', () => over());
    socket.write(request);
  });
}

async function down(proxy: string, target: string, bytes: number): Promise<number> {
  const socket = await tunnel(proxy, target);
  const started = performance.now();
  let got = 0;
  socket.on('data', (piece: Buffer) => {
    got += piece.length;
  });
  socket.write(`down ${bytes}\n`);
  await once(socket, 'end');
  socket.destroy();
  return speed(got, bytes, started);
}

async function up(proxy: string, target: string, bytes: number): Promise<number> {
  const socket = await tunnel(proxy, target);
  const started = performance.now();
  socket.write(`up ${bytes}\n`);
  for (let left = bytes; left > 0; left -= PIECE.length) {
    if (!socket.write(PIECE.subarray(0, Math.min(left, PIECE.length)))) {
      await once(socket, 'drain');
    }
  }
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return speed(Number(answer.toString()), bytes, started);
}

async function tunnels(proxy: string, target: string, count: number): Promise<number> {
  while (open.length < count) {
    const some = Array.from({ length: Math.min(AT_A_TIME, count - open.length) }, () =>
      tunnel(proxy, target),
    );
    open.push(...(await Promise.all(some)));
  }
  const works = await Promise.all(open.map(echoes));
  return works.filter((isWhole) => isWhole).length;
}

async function echoes(socket: Socket): Promise<boolean> {
  for (let message = 0; message < MESSAGES; message += 1) {
    socket.write(MESSAGE);
    let got = 0;
    while (got < MESSAGE.length) {
      const [piece] = (await once(socket, 'data')) as [Buffer];
      got += piece.length;
    }
  }
  return true;
}

async function tunnel(proxy: string, target: string): Promise<Socket> {
  const socket = dial(proxy);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${tokenLine(proxy)}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200')) {
    throw new Error(`CONNECT was answered by ${answer.toString('latin1').slice(0, 200)}`);
  }
  return socket;
}

function dial(proxy: string): Socket {
  const { hostname, port } = new URL(proxy);
  return connect({ host: hostname, port: Number(port), noDelay: true });
}

function tokenLine(proxy: string): string {
  const { username, password } = new URL(proxy);
  const token = Buffer.from(`${username}:${password}`).toString('base64');
  return username === '' ? '' : `Proxy-Authorization: Basic ${token}\r\n`;
}

function speed(got: number, bytes: number, started: number): number {
  if (got !== bytes) {
    throw new Error(`${got} of ${bytes} bytes came`);
  }
  return bytes / 1e6 / ((performance.now() - started) / 1000);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
