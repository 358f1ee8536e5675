// Bodies in both directions, tunnels, deadlines and peers that do not behave: through the engine.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';
import { createRawServer } from './raw-server.ts';

const PIECE = originBytes(65_536);
const PIECES = 40;
const SHA256 = createHash('sha256')
  .update(Buffer.concat(Array.from({ length: PIECES }, () => PIECE)))
  .digest('hex');
const stream = () => Readable.from(Array.from({ length: PIECES }, () => PIECE));

describe('an upload', () => {
  for (const target of ['http', 'https'] as const) {
    it.each([
      ['bytes', () => Buffer.concat(Array.from({ length: PIECES }, () => PIECE))],
      ['a stream that can be read once', stream],
      ['a function that opens a stream', () => stream],
    ])(`of %s arrives whole, ${target}`, async (_claim, body) => {
      await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
      await using origin = await createOrigin(target === 'https' ? { tls: CERTIFICATES } : {});
      await using client = await clientOfAlice({ proxy: proxy.url });
      const url = `${origin.url}/echo-sha256`;
      const response = await client.request(url, { method: 'PUT', body: body() });
      const answer = JSON.parse((await readAll(response.body)).toString());
      expect(answer).toMatchObject({ sha256: SHA256 });
    });
  }

  it('keeps its body at home while it is known that a challenge comes', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['close-on-first-407'],
    });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const response = await client.request(`${origin.url}/echo-sha256`, { body: stream() });
    await readAll(response.body);
    const lengths = proxy.log.map(({ headers, leg }) => [
      leg,
      headers.find(([name]) => name === 'Content-Length')?.[1],
    ]);
    expect(lengths).toContainEqual(['first', '0']);
    expect(proxy.log.filter(({ bodyBytes }) => bodyBytes > 0)).toHaveLength(1);
  });

  it('that was consumed and cannot be sent again is an error, not a truncated upload', async () => {
    // Reads the whole body first, and only then asks for sign-on: no `100 Continue`, no early answer.
    await using proxy = await createRawServer((socket) => {
      let seen = '';
      socket.on('data', (bytes) => {
        seen += bytes.toString('latin1');
        const isLeg = seen.includes('Content-Length: 0\r\n');
        if (isLeg || seen.endsWith('0\r\n\r\n')) {
          const token = isLeg ? ` ${CHALLENGE}` : '';
          socket.write(
            `HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM${token}\r\nContent-Length: 0\r\n\r\n`,
          );
          seen = '';
        }
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    await expect(
      client.request('http://origin.example/', { body: Readable.from([Buffer.from('once')]) }),
    ).rejects.toMatchObject({ code: 'BODY_NOT_REPLAYABLE' });
  });

  it('with a wrong Content-Length is an error', async () => {
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: 'direct' });
    for (const length of ['3', '5']) {
      await expect(
        client.request(`${origin.url}/echo-sha256`, {
          body: Readable.from([Buffer.from('four')]),
          headers: [['Content-Length', length]],
        }),
      ).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});

const openSockets = () =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

/** A challenge as squid sends it: 32 bytes, no target info. */
const CHALLENGE = Buffer.from(
  '4e544c4d53535000020000000000000000000000018200000123456789abcdef',
  'hex',
).toString('base64');

describe('a download', () => {
  it.each(['/bytes/3000000', '/chunked/3000000'])(
    'of %s arrives whole through a tunnel',
    async (path) => {
      await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
      await using origin = await createOrigin({ tls: CERTIFICATES });
      await using client = await clientOfAlice({ proxy: proxy.url });
      const { body } = await client.request(origin.url + path);
      expect((await readAll(body)).equals(originBytes(3_000_000))).toBe(true);
    },
  );

  it('that ends early is an error with the count', async () => {
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: 'direct' });
    const { body } = await client.request(`${origin.url}/truncated/1000`);
    await expect(readAll(body)).rejects.toMatchObject({
      code: 'BODY_INCOMPLETE',
      message: expect.stringContaining('after 500 bytes'),
    });
  });

  it('over TLS is handed on in pieces larger than the records it comes in', async () => {
    const length = 200_000;
    await using origin = await createRawServer((socket) => {
      (socket as TLSSocket).setMaxSendFragment(512);
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
      socket.once('data', () =>
        socket.write(Buffer.concat([Buffer.from(head), originBytes(length)])),
      );
    }, CERTIFICATES);
    await using client = await clientOfAlice({ proxy: 'direct' });
    const { body } = await client.request(`${origin.url}/`);
    const pieces: Buffer[] = [];
    body.on('data', (piece) => pieces.push(piece));
    await once(body, 'end');
    expect(Buffer.concat(pieces).equals(originBytes(length))).toBe(true);
    expect(pieces.length).toBeLessThan(length / 512 / 4);
  });

  it('over TLS that breaks off is read to its last byte before the error', async () => {
    await using origin = await createRawServer((socket) => {
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n';
      socket.once('data', () =>
        socket.end(Buffer.concat([Buffer.from(head), originBytes(150_000)])),
      );
    }, CERTIFICATES);
    await using client = await clientOfAlice({ proxy: 'direct' });
    const { body } = await client.request(`${origin.url}/`);
    let received = 0;
    body.on('data', (piece: Buffer) => {
      received += piece.length;
    });
    await expect(once(body, 'end')).rejects.toMatchObject({
      code: 'BODY_INCOMPLETE',
      message: expect.stringContaining('after 150000 bytes'),
    });
    expect(received).toBe(150_000);
  });

  it('is ended by its signal', async () => {
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: 'direct' });
    const controller = new AbortController();
    const { body } = await client.request(`${origin.url}/bytes/100000000`, {
      signal: controller.signal,
    });
    const reading = readAll(body);
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(reading).rejects.toThrow('enough');
  });

  it('that is ended before somebody reads it tells the reader, and nobody else', async () => {
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: 'direct' });
    const controller = new AbortController();
    const { body } = await client.request(`${origin.url}/bytes/100000000`, {
      signal: controller.signal,
    });
    // An 'error' nobody listens to would be an uncaught exception, which fails the test run.
    controller.abort(new Error('enough'));
    await new Promise((resolve) => body.once('close', resolve));
    await expect(readAll(body)).rejects.toThrow('enough');
  });
});

describe('connect()', () => {
  it('gives the bytes that came with the 200, and both directions after', async () => {
    await using shouter = await createRawServer((peer) => {
      peer.write('hello ');
      peer.pipe(peer);
    });
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['early-bytes'],
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const { head, socket, status } = await client.connect({
      host: '127.0.0.1',
      port: shouter.port,
    });
    expect([status, head.toString()]).toEqual([200, 'hello ']);
    socket.write('echo');
    expect(String((await once(socket, 'data'))[0])).toBe('echo');
    socket.destroy();
  });

  it('returns a refusal of the proxy that has nothing to do with sign-on', async () => {
    await using proxy = await createRawServer((peer) => {
      peer.on('data', () =>
        peer.write('HTTP/1.1 403 Forbidden\r\nX-Why: policy\r\nContent-Length: 4\r\n\r\npage'),
      );
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const { status, headers, head, socket, refusal } = await client.connect('example.com:443');
    socket.destroy();
    expect({ status, why: headers['x-why'], head: head.toString(), refusal }).toEqual({
      status: 403,
      why: 'policy',
      head: 'page',
      refusal: null,
    });
    await expect(client.openTunnel('example.com:443')).rejects.toMatchObject({
      code: 'PROXY_REFUSED',
      message: expect.stringMatching(
        /127\.0\.0\.1:\d+ refused to connect to example\.com:443: 403 Forbidden/,
      ),
    });
  });

  it('connects directly where the route says so', async () => {
    await using origin = await createRawServer((peer) => peer.end('direct'));
    await using client = await clientOfAlice({});
    const socket = await client.openTunnel(`127.0.0.1:${origin.port}`);
    expect((await readAll(socket)).toString()).toBe('direct');
  });
});

describe('a peer that does not behave', () => {
  const answering = (answer: string) =>
    createRawServer((socket) => socket.once('data', () => socket.write(answer)));

  it.each([
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'PROXY_GARBLED'],
    [
      'sends a head without an end',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`,
      'HEAD_TOO_LARGE',
    ],
    [
      'sends a token larger than any',
      `HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM ${'A'.repeat(90_000)}\r\n\r\n`,
      'HEAD_TOO_LARGE',
    ],
    ['sends a field that is none', 'HTTP/1.1 200 OK\r\nno field\r\n\r\n', 'PROXY_GARBLED'],
    [
      'answers 407 without a challenge',
      'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n',
      'SCHEME_UNSUPPORTED',
    ],
    ['sends interim answers for ever', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(40), 'PROXY_GARBLED'],
  ])('%s: %s', async (_claim, answer, code) => {
    await using proxy = await answering(answer);
    await using client = await clientOfAlice({ proxy: proxy.url });
    await expect(client.openTunnel('example.com:443')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`127.0.0.1:${proxy.port}`),
    });
  });

  it('challenges for ever: an end, no loop', async () => {
    await using proxy = await createRawServer((socket) => {
      socket.on('data', () =>
        socket.write(
          `HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM ${CHALLENGE}\r\nContent-Length: 0\r\n\r\n`,
        ),
      );
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    await expect(client.openTunnel('example.com:443')).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
    });
    expect(proxy.connections()).toBe(1);
  });

  it('sends a malformed challenge: an error that names it', async () => {
    await using proxy = await createRawServer((socket) => {
      let turn = 0;
      socket.on('data', () => {
        turn += 1;
        const token = turn === 1 ? '' : ' TlRMTVNTUAACAAAA';
        socket.write(
          `HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM${token}\r\nContent-Length: 0\r\n\r\n`,
        );
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    await expect(client.openTunnel('example.com:443')).rejects.toMatchObject({
      code: 'CHALLENGE_INVALID',
      message: expect.stringContaining(`127.0.0.1:${proxy.port}`),
    });
  });

  it.each([
    ['is silent from the start', 0],
    ['is silent after the first leg', 1],
  ])('%s: a timeout, not a hang', async (_claim, answers) => {
    await using proxy = await createRawServer((socket) => {
      let turn = 0;
      socket.on('data', () => {
        turn += 1;
        if (turn <= answers) {
          socket.write('HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n');
        }
      });
    });
    await using client = await clientOfAlice({
      proxy: proxy.url,
      handshakeTimeoutMs: 150,
      idleTimeoutMs: 200,
    });
    await expect(client.openTunnel('example.com:443')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('is not there', async () => {
    await using client = await clientOfAlice({ proxy: 'http://127.0.0.1:1' });
    await expect(client.openTunnel('example.com:443')).rejects.toMatchObject({
      code: 'PROXY_UNREACHABLE',
      message: 'Cannot connect to 127.0.0.1:1 (ECONNREFUSED)',
    });
  });

  it('is given up by the caller, at any time', async () => {
    const sockets: Socket[] = [];
    await using proxy = await createRawServer((socket) => sockets.push(socket));
    await using client = await clientOfAlice({ proxy: proxy.url });
    const controller = new AbortController();
    const waiting = client.openTunnel('example.com:443', { signal: controller.signal });
    waiting.catch(() => undefined);
    while (sockets.length === 0) {
      await wait(5);
    }
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const aborted = client.openTunnel('example.com:443', {
      signal: AbortSignal.abort(new Error('before')),
    });
    await expect(aborted).rejects.toThrow('before');
  });

  it('leaves nothing open behind', async () => {
    await vi.waitUntil(() => openSockets() === 0);
    {
      await using proxy = await createCorporateProxy({
        schemes: ['NTLM'],
        users: [ALICE],
        habits: ['reset-after-final-leg'],
      });
      await using client = await clientOfAlice({ proxy: proxy.url });
      await client.openTunnel('127.0.0.1:9').catch(() => undefined);
    }
    await vi.waitUntil(() => openSockets() === 0);
    expect(openSockets()).toBe(0);
  });
});
