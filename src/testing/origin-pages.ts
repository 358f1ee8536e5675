// The pages of the test origin, by path. Owns what each path answers; sign-on is `origin.ts`.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

type Page = (argument: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The path's first segment names the page, the second is its argument. */
const PAGES: Readonly<Record<string, Page>> = {
  bytes: sendBytes,
  chunked: sendChunked,
  'echo-sha256': echoSha256,
  headers: echoHeaders,
  'proxy-challenge': challengeAsProxy,
  redirect: sendRedirect,
  status: sendStatus,
  truncated: sendTruncated,
};

/** 251 is prime: no block size divides the pattern, so shifted or repeated blocks are noticed. */
const PERIOD = 251;
const PATTERN = Buffer.from(Array.from({ length: PERIOD * 256 }, (_, index) => index % PERIOD));

/** The body of `/bytes/N` and `/chunked/N`: byte i is i modulo 251. */
export function originBytes(length: number): Buffer {
  return Buffer.concat([...blocks(length)]);
}

/** Answers one request. Never rejects: a client that leaves is no failure of the page. */
export async function servePage(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, name = '', argument = ''] = path.split('?')[0]?.split('/') ?? [];
  const answer = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined;
  if (answer === undefined || !/^\d{0,10}$/.test(argument)) {
    sendJson(response, 404, { error: 'no such page' });
    return;
  }
  try {
    await answer(argument, request, response);
  } catch {
    response.destroy();
  }
}

async function sendBytes(length: string, request: IncomingMessage, response: ServerResponse) {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': Number(length),
  });
  await stream(request.method === 'HEAD' ? 0 : Number(length), response);
}

async function sendChunked(length: string, request: IncomingMessage, response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  await stream(request.method === 'HEAD' ? 0 : Number(length), response);
}

async function sendTruncated(length: string, _request: IncomingMessage, response: ServerResponse) {
  response.writeHead(200, { 'content-length': Number(length) });
  const half = Math.floor(Number(length) / 2);
  // The callback comes once the bytes are with the kernel; destroying earlier could lose them.
  await new Promise<void>((resolve) => response.write(originBytes(half), () => resolve()));
  response.socket?.end();
}

async function echoSha256(_: string, request: IncomingMessage, response: ServerResponse) {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of request) {
    hash.update(piece);
    length += piece.length;
  }
  sendJson(response, 200, { sha256: hash.digest('hex'), length });
}

async function echoHeaders(_: string, request: IncomingMessage, response: ServerResponse) {
  sendJson(response, 200, request.headers);
}

async function challengeAsProxy(_: string, request: IncomingMessage, response: ServerResponse) {
  response.setHeader('proxy-authenticate', ['Negotiate', 'NTLM', 'Basic realm="origin"']);
  sendJson(response, 407, request.headers);
}

/** `/redirect/3` leads to `/redirect/2` and so on; `/redirect/0` is the end. */
async function sendRedirect(left: string, _request: IncomingMessage, response: ServerResponse) {
  if (Number(left) > 0) {
    response.writeHead(302, { location: `/redirect/${Number(left) - 1}` }).end();
  } else {
    sendJson(response, 200, { redirected: true });
  }
}

async function sendStatus(status: string, _request: IncomingMessage, response: ServerResponse) {
  const isStatus = /^[2-5]\d\d$/.test(status);
  response.writeHead(isStatus ? Number(status) : 404).end();
}

async function stream(length: number, response: ServerResponse): Promise<void> {
  await pipeline(Readable.from(blocks(length)), response);
}

function* blocks(length: number): Generator<Buffer> {
  for (let at = 0; at < length; at += PATTERN.length) {
    yield PATTERN.subarray(0, Math.min(PATTERN.length, length - at));
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
