// What clients do to the local proxy in its soak, one operation at a time: which kinds there are, how often, and what each may
// come to. Owns this table; whether a failure may be is `run.ts`.
import type { Agent, IncomingMessage } from 'node:http';
import { request as sendRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Way } from './orders.ts';
import { WAYS } from './orders.ts';
import { contentOf, MAX_BYTES } from './plan.ts';
import type { Head } from './tunnel-client.ts';
import { TunnelClient } from './tunnel-client.ts';

export interface World {
  readonly ports: Readonly<Record<Way, number>>;
  /** `x:TOKEN` in base64. */
  readonly credentials: string;
  /** `host:port` of the pages, and of the echo. */
  readonly pages: string;
  readonly echo: string;
  readonly agent: Agent;
  readonly count: { requests: number; tunnels: number };
}

export interface Deed {
  /** Of no other operation. */
  readonly id: string;
  readonly way: Way;
  readonly random: Random;
}

/** A clear error the client was told, or an answer that was cut: only to be where the corporate proxy was away. */
export class Trouble extends Error {}

/** @returns what it came to, in a word @throws Trouble; Error when it comes to what it never may */
type Operation = (world: World, deed: Deed) => Promise<string>;

const OPERATIONS = {
  page: getPage,
  upload: upload,
  'upload in chunks': (world, deed) => upload(world, deed, true),
  'three in a row': pipeline,
  'page given up': giveUpPage,
  tunnel: echoThrough,
  'tunnel given up': giveUpTunnel,
  'web socket': openWebSocket,
  garbage: sendGarbage,
  'half a request': sendHalf,
  'body too short': sendShortBody,
} as const satisfies Record<string, Operation>;

export type Kind = keyof typeof OPERATIONS;

/** Of 100 operations so many are of this kind. */
const SHARES: Readonly<Record<Kind, number>> = {
  page: 50,
  upload: 12,
  'upload in chunks': 6,
  'three in a row': 5,
  'page given up': 8,
  tunnel: 9,
  'tunnel given up': 3,
  'web socket': 1,
  garbage: 2,
  'half a request': 2,
  'body too short': 2,
};
const KINDS = Object.keys(OPERATIONS) as Kind[];

export function drawKind(random: Random): Kind {
  let left = random.next() * 100;
  const found = KINDS.find((kind) => {
    left -= SHARES[kind];
    return left < 0;
  });
  return found ?? 'page';
}

export function drawWay(random: Random): Way {
  return random.pick(WAYS);
}

export function perform(kind: Kind, world: World, deed: Deed): Promise<string> {
  return OPERATIONS[kind](world, deed);
}

async function getPage(world: World, { id, way, random }: Deed): Promise<string> {
  const length = random.between(0, MAX_BYTES);
  const answer = await ask(world, way, { path: `/${id}/${length}` });
  return expectContent(answer, id, contentOf(id, length));
}

async function upload(world: World, { id, way, random }: Deed, isChunked = false): Promise<string> {
  const content = contentOf(id, random.between(0, 2 * MAX_BYTES));
  const headers: Record<string, string> = isChunked
    ? { 'Transfer-Encoding': 'chunked' }
    : { 'Content-Length': String(content.length) };
  const path = `/${id}/${content.length}`;
  const answer = await ask(world, way, { method: 'POST', path, headers, content });
  return expectContent(answer, id, Buffer.from('whole'));
}

/** HTTP/1.1 without waiting: the answers come in the order of the requests. */
async function pipeline(world: World, { id, way, random }: Deed): Promise<string> {
  using client = await TunnelClient.to(world.ports[way]);
  const lengths = [0, 1, 2].map(() => 2 * random.between(0, MAX_BYTES / 8));
  world.count.requests += lengths.length;
  client.socket.write(
    lengths
      .map((length, at) => lines(world, 'GET', `http://${world.pages}/${id}-${at}/${length}`))
      .join(''),
  );
  for (const [at, length] of lengths.entries()) {
    const head = await expectHead(client, 200);
    const content = contentOf(`${id}-${at}`, length);
    if (!head.text.toLowerCase().includes(`\r\nx-id: ${id}-${at}\r\n`)) {
      throw new Error(`the answer to another request: ${head.text}`);
    }
    expectEqual(await client.bytes(length), content);
  }
  return 'right';
}

async function giveUpPage(world: World, { id, way, random }: Deed): Promise<string> {
  const headers = { 'Proxy-Authorization': `Basic ${world.credentials}` };
  const path = `http://${world.pages}/${id}/${random.between(0, 8 * MAX_BYTES)}`;
  world.count.requests += 1;
  const sent = sendRequest({
    host: '127.0.0.1',
    port: world.ports[way],
    path,
    headers,
    // Of its own: what is reset must not be another's by then.
    agent: false,
  });
  sent.on('error', () => undefined);
  sent.on('response', (answer) => answer.on('error', () => undefined).resume());
  sent.end();
  await pause(30 * random.next() ** 2);
  random.chance(0.5) ? sent.socket?.resetAndDestroy() : undefined;
  sent.destroy();
  return 'given up';
}

async function echoThrough(world: World, { id, way, random }: Deed): Promise<string> {
  using client = await openTunnel(world, way);
  const pieces = random.between(1, 4);
  for (let at = 0; at < pieces; at += 1) {
    const content = contentOf(`${id}-${at}`, random.between(1, MAX_BYTES));
    client.socket.write(content);
    expectEqual(await client.bytes(content.length), content);
  }
  if (random.chance(0.5)) {
    return 'closed by us';
  }
  // Half-close: what was sent last comes back behind our end.
  const last = contentOf(`${id}-last`, random.between(1, MAX_BYTES));
  client.socket.end(last);
  expectEqual(await client.bytes(last.length), last);
  if (!(await client.ended())) {
    throw new Error('a tunnel brought more than was sent into it');
  }
  return 'closed by both';
}

async function giveUpTunnel(world: World, { id, way, random }: Deed): Promise<string> {
  using client = await TunnelClient.to(world.ports[way]);
  world.count.tunnels += 1;
  client.socket.write(lines(world, 'CONNECT', world.echo) + contentOf(id, 5000));
  await pause(20 * random.next() ** 2);
  random.chance(0.5) ? client.socket.resetAndDestroy() : undefined;
  return 'given up';
}

async function openWebSocket(world: World, { id, way }: Deed): Promise<string> {
  using client = await TunnelClient.to(world.ports[way]);
  world.count.tunnels += 1;
  const fields = ['Connection: Upgrade', 'Upgrade: websocket'];
  client.socket.write(lines(world, 'GET', `http://${world.pages}/${id}/0`, fields));
  await expectHead(client, 101);
  const content = contentOf(id, 3000);
  client.socket.write(content);
  expectEqual(await client.bytes(content.length), content);
  return 'right';
}

const GARBAGE = [
  'garbage\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n',
  'GET http://a.test/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  `GET http://a.test/ HTTP/1.1\r\n${'X-A: 1\r\n'.repeat(20_000)}\r\n`,
] as const;

async function sendGarbage({ ports }: World, { way, random }: Deed): Promise<string> {
  using client = await TunnelClient.to(ports[way]);
  client.socket.write(random.pick(GARBAGE), 'latin1');
  const head = await client.head();
  if (head?.status !== 400 && head?.status !== 431) {
    throw new Error(`garbage was answered with ${head?.text}`);
  }
  return String(head.status);
}

async function sendHalf(world: World, { id, way, random }: Deed): Promise<string> {
  using client = await TunnelClient.to(world.ports[way]);
  const text = lines(world, 'GET', `http://${world.pages}/${id}/10`);
  client.socket.write(text.slice(0, random.between(1, text.length - 2)));
  await pause(5 * random.next());
  client.socket.end();
  if (!(await client.ended())) {
    throw new Error('half a request was answered');
  }
  return 'no answer';
}

/** The origin must not take it for whole: the answer would be one to something nobody has said. */
async function sendShortBody(world: World, { id, way, random }: Deed): Promise<string> {
  using client = await TunnelClient.to(world.ports[way]);
  world.count.requests += 1;
  const length = random.between(2, 2 * MAX_BYTES);
  const fields = [`Content-Length: ${length}`];
  client.socket.write(lines(world, 'POST', `http://${world.pages}/${id}/${length}`, fields));
  client.socket.end(contentOf(id, random.between(0, length - 1)));
  const head = await client.head();
  if (head !== null && head.status < 400) {
    throw new Error(`a body that was too short was answered with ${head.text}`);
  }
  return head === null ? 'no answer' : String(head.status);
}

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: Buffer;
}

/** By Node's own client, on connections that all operations share. */
function ask(
  world: World,
  way: Way,
  { path, method = 'GET', headers = {}, content }: Asked,
): Promise<IncomingMessage> {
  world.count.requests += 1;
  return new Promise((resolve, reject) => {
    const sent = sendRequest({
      ...{ host: '127.0.0.1', port: world.ports[way], agent: world.agent, method },
      path: `http://${world.pages}${path}`,
      headers: { ...headers, 'Proxy-Authorization': `Basic ${world.credentials}` },
    });
    sent.on('response', (answer) => resolve(answer.on('error', () => undefined)));
    sent.on('error', (error) => reject(new Error(`no answer at all: ${error}`)));
    sent.end(content);
  });
}

async function expectContent(
  answer: IncomingMessage,
  id: string,
  content: Buffer,
): Promise<string> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of answer) {
      pieces.push(piece as Buffer);
    }
  } catch (cause) {
    throw new Trouble(`cut behind ${answer.statusCode}`, { cause });
  }
  if (answer.statusCode !== 200) {
    throw toldIn(answer.statusCode ?? 0, String(answer.headers['proxy-status']));
  }
  if (answer.headers['x-id'] !== id) {
    throw new Error(`the answer to ${answer.headers['x-id']} came to ${id}`);
  }
  expectEqual(Buffer.concat(pieces), content);
  return 'right';
}

async function openTunnel(world: World, way: Way): Promise<TunnelClient> {
  const client = await TunnelClient.to(world.ports[way]);
  world.count.tunnels += 1;
  client.socket.write(lines(world, 'CONNECT', world.echo));
  try {
    await expectHead(client, 200);
    return client;
  } catch (error) {
    client.socket.destroy();
    throw error;
  }
}

async function expectHead(client: TunnelClient, status: number): Promise<Head> {
  const head = await client.head();
  if (head === null) {
    throw new Trouble('cut before a head');
  }
  if (head.status !== status) {
    throw toldIn(head.status, /^proxy-status: (.*)\r$/im.exec(head.text)?.[1] ?? '');
  }
  return head;
}

/** @returns Trouble for an error that says whose and what it is */
function toldIn(status: number, proxyStatus: string): Error {
  const [, type] = /^sallyport; error=(\w+);/.exec(proxyStatus) ?? [];
  return status >= 502 && status <= 504 && type !== undefined && type !== 'proxy_internal_error'
    ? new Trouble(`${status} ${type}`, { cause: proxyStatus })
    : new Error(`answered with ${status}, Proxy-Status ${proxyStatus}`);
}

function expectEqual(received: Buffer, content: Buffer): void {
  if (received.equals(content)) {
    return;
  }
  if (received.length < content.length && received.equals(content.subarray(0, received.length))) {
    throw new Trouble('cut');
  }
  throw new Error(
    `wrong bytes: ${received.length} instead of ${content.length}, ${received.toString('latin1', 0, 40)}`,
  );
}

function lines(
  world: World,
  method: string,
  target: string,
  fields: readonly string[] = [],
): string {
  const all = [
    `${method} ${target} HTTP/1.1`,
    'Host: of-no-matter',
    `Proxy-Authorization: Basic ${world.credentials}`,
    ...fields,
  ];
  return `${all.join('\r\n')}\r\n\r\n`;
}
