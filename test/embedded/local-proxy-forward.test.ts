// Requests in absolute-form through the local proxy, byte by byte as clients of the field send them.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { createOrigin, originBytes } from '../../src/testing/index.ts';
import { createStage } from './local-proxy-stage.ts';
import { CERTIFICATES } from './network.ts';
import { createRawServer } from './raw-server.ts';

const DIRECT = { noProxy: '127.0.0.1' };

/** An origin that keeps what it was sent and says what it is told, once for each empty line. */
async function scriptedOrigin(answer: string) {
  const seen: string[] = [];
  const server = await createRawServer((socket) => {
    socket.on('data', (bytes) => {
      seen.push(bytes.toString('latin1'));
      if (bytes.includes('\r\n\r\n')) {
        socket.write(answer, 'latin1');
      }
    });
  });
  return { server, seen: () => seen.join('') };
}

describe('a request in absolute-form', () => {
  it('is signed on upstream, and its connection serves the next ones, one handshake for all', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage();
    await using client = await stage.client();
    for (let at = 0; at < 20; at += 1) {
      client.send([`GET ${origin.url}/bytes/5000 HTTP/1.1`, 'Host: x', stage.token]);
      const { head, body } = await client.response();
      expect([head.status, body.equals(originBytes(5000))]).toEqual([200, true]);
    }
    expect(stage.corporate.counts()).toMatchObject({ handshakes: 1, connections: 1 });
  });

  it('keeps 16 clients at work with one handshake each, however long they go on', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage();
    const clients = await Promise.all(Array.from({ length: 16 }, () => stage.client()));
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        clients.map(async (client) => {
          client.send([`GET ${origin.url}/bytes/10 HTTP/1.1`, 'Host: x', stage.token]);
          expect((await client.response()).head.status).toBe(200);
        }),
      );
    }
    expect(stage.corporate.counts().handshakes).toBeLessThanOrEqual(16);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it('goes to https origins, too, and directly where the route says so', async () => {
    await using secure = await createOrigin({ tls: CERTIFICATES });
    await using direct = await createOrigin({ host: '127.0.0.2' });
    await using stage = await createStage({ settings: { noProxy: '127.0.0.2' } });
    await using client = await stage.client();
    for (const url of [secure.url, direct.url]) {
      client.send([`GET ${url}/bytes/70000 HTTP/1.1`, 'Host: x', stage.token]);
      expect((await client.response()).body.equals(originBytes(70_000))).toBe(true);
    }
    expect(stage.corporate.counts()).toMatchObject({ tunnels: 1, forwarded: 0 });
  });

  it('keeps path and values byte for byte, and nothing of this hop', async () => {
    const { server, seen } = await scriptedOrigin('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await using origin = server;
    await using stage = await createStage({ settings: DIRECT });
    await using client = await stage.client();
    client.send([
      `get http://127.0.0.1:${origin.port}/a/../b//c?x=[1]|{2}"%zz HTTP/1.1`,
      'Host: other.example',
      stage.token,
      'X-Caf\xe9: nothing'.replace('\xe9', 'e'),
      'X-Bytes: \xe9\xff',
      'Connection: keep-alive, x-private',
      'X-Private: 1',
      'TE: trailers',
      'Keep-Alive: timeout=5',
    ]);
    expect((await client.response()).head.status).toBe(200);
    expect(seen()).toMatch(
      /^get \/a\/\.\.\/b\/\/c\?x=\[1\]\|\{2\}"%zz HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/,
    );
    expect(seen()).toContain('\r\nX-Bytes: \xe9\xff\r\n');
    expect(seen()).toMatch(/\r\nVia: 1\.1 sallyport-[0-9a-f]{12}\r\n/);
    expect(seen()).not.toMatch(
      /x-private|keep-alive|\bTE:|authorization|other\.example|user-agent|accept/i,
    );
  });

  it('may come in a row without waiting, and is answered in that order', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage();
    await using client = await stage.client();
    const sizes = [3, 70_000, 0, 12];
    const LAST = originBytes(12).toString('latin1');
    const one = (size: number) =>
      `GET ${origin.url}/bytes/${size} HTTP/1.1\r\nHost: x\r\n${stage.token}\r\n\r\n`;
    client.socket.write(sizes.map(one).join(''));
    let bytes = '';
    while (bytes.split('HTTP/1.1 200 OK').length <= sizes.length || !bytes.endsWith(LAST)) {
      bytes += (await client.read())?.toString('latin1') ?? 'END';
    }
    const answers = bytes.split('HTTP/1.1 200 OK').slice(1);
    expect(answers.map((text) => text.slice(text.indexOf('\r\n\r\n') + 4))).toEqual(
      sizes.map((size) => originBytes(size).toString('latin1')),
    );
  });
});

describe('the answer', () => {
  it.each([
    [
      'to HEAD keeps its length and has no body',
      'HEAD',
      '1.1',
      'Content-Length: 5\r\n\r\n',
      'Content-Length: 5',
    ],
    [
      'of 304 keeps its length and has no body',
      'GET',
      '1.1',
      'Content-Length: 5\r\n\r\n',
      'Content-Length: 5',
      304,
    ],
    ['of 204 has no length', 'GET', '1.1', 'Content-Length: 0\r\n\r\n', null, 204],
    [
      'that is chunked stays so, without its extensions and trailers',
      'GET',
      '1.1',
      'Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
      'Transfer-Encoding: chunked',
    ],
    [
      'with the same length twice has it once',
      'GET',
      '1.1',
      'Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
      'Content-Length: 3',
    ],
  ])('%s', async (_claim, method, version, rest, field, status = 200) => {
    const { server } = await scriptedOrigin(`HTTP/1.1 ${status} Fine\r\n${rest}`);
    await using origin = server;
    await using stage = await createStage({ settings: DIRECT });
    await using client = await stage.client();
    // Twice: the connection is in order behind it.
    for (let at = 0; at < 2; at += 1) {
      client.send([`${method} ${origin.url}/ HTTP/${version}`, 'Host: x', stage.token]);
      const { head, body } = await client.response(method);
      const framing = head.headers.fields
        .filter(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
        .map(([name, value]) => `${name}: ${value}`);
      expect(head.status).toBe(status);
      expect(framing).toEqual(field === null ? [] : [field]);
      expect(body.toString()).toBe(method === 'HEAD' || status !== 200 ? '' : 'abc');
      expect(head.headers.first('trailer')).toBeUndefined();
    }
  });

  it('without a length ends with the connection for a client of HTTP/1.0, and is chunked for others', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage();
    await using old = await stage.client();
    old.send([`GET ${origin.url}/chunked/70000 HTTP/1.0`, stage.token, 'Connection: keep-alive']);
    const { head, body } = await old.response();
    expect(head.headers.tokens('connection')).toEqual(['close']);
    expect(head.headers.first('transfer-encoding')).toBeUndefined();
    expect(body.equals(originBytes(70_000))).toBe(true);
    await using keeping = await stage.client();
    for (let at = 0; at < 2; at += 1) {
      keeping.send([`GET ${origin.url}/bytes/7 HTTP/1.0`, stage.token, 'Connection: keep-alive']);
      const answer = await keeping.response();
      expect(answer.head.headers.tokens('connection')).toEqual(['keep-alive']);
    }
  });

  it('of an origin that asks for a sign-on is its own, 401 and 407 alike a matter of who asks', async () => {
    const { server } = await scriptedOrigin(
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="origin"\r\nContent-Length: 2\r\n\r\nno',
    );
    await using origin = server;
    await using stage = await createStage();
    await using client = await stage.client();
    client.send([`GET ${origin.url}/ HTTP/1.1`, 'Host: x', stage.token]);
    const { head, body } = await client.response();
    expect([head.status, head.headers.first('www-authenticate'), body.toString()]).toEqual([
      401,
      'Basic realm="origin"',
      'no',
    ]);
  });

  it('to a refused sign-on upstream is 502 with the reason, never a 407', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage({ settings: { password: 'wrong' } });
    await using client = await stage.client();
    for (const line of [`GET ${origin.url}/ HTTP/1.1`, 'CONNECT 127.0.0.1:443 HTTP/1.1']) {
      client.send([line, 'Host: x', stage.token]);
      const { head, body } = await client.response();
      expect(head.status).toBe(502);
      expect(head.headers.first('proxy-status')).toContain('CREDENTIALS_REFUSED');
      expect(head.headers.first('proxy-authenticate')).toBeUndefined();
      expect(body.toString()).toContain('refused');
    }
  });

  it('of a proxy that refuses an address is told with its own status', async () => {
    await using stage = await createStage({ corporate: { blocked: () => true } });
    await using client = await stage.client();
    client.send(['CONNECT blocked.example:443 HTTP/1.1', 'Host: x', stage.token]);
    const { head } = await client.response();
    expect(head.status).toBe(403);
    expect(head.headers.first('proxy-status')).toMatch(
      /^sallyport; error=http_request_denied; received-status=403;/,
    );
  });
});

describe('a body', () => {
  const content = originBytes(300_000);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const chunked = Buffer.concat([
    Buffer.from(`${content.length.toString(16)};ext=1\r\n`),
    content,
    Buffer.from('\r\n0\r\nX-Trailer: 1\r\n\r\n'),
  ]);

  it.each([
    ['with a length', [`Content-Length: ${content.length}`], content],
    ['in chunks', ['Transfer-Encoding: chunked'], chunked],
    ['behind 100 Continue', [`Content-Length: ${content.length}`, 'Expect: 100-continue'], content],
  ])('%s arrives whole through a proxy that asks for sign-on', async (_claim, fields, bytes) => {
    await using origin = await createOrigin();
    await using stage = await createStage();
    await using client = await stage.client();
    for (let at = 0; at < 2; at += 1) {
      client.send([
        `POST ${origin.url}/echo-sha256 HTTP/1.1`,
        ...['Host: x', stage.token, ...fields],
      ]);
      if (fields.includes('Expect: 100-continue')) {
        expect((await client.read())?.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      }
      client.socket.write(bytes);
      const { head, body } = await client.response('POST');
      expect([head.status, JSON.parse(body.toString())]).toEqual([
        200,
        { sha256, length: content.length },
      ]);
    }
  });

  it('that nobody wants is not read to its end: the answer comes while it is sent, and the connection ends', async () => {
    const answer = 'HTTP/1.1 413 Too large\r\nContent-Length: 3\r\n\r\nbig';
    const { server } = await scriptedOrigin(answer);
    await using origin = server;
    await using stage = await createStage({ settings: DIRECT });
    await using client = await stage.client();
    client.send(
      [`POST ${origin.url}/ HTTP/1.1`, 'Host: x', stage.token, 'Content-Length: 100000000'],
      'x'.repeat(100_000),
    );
    const { head, body } = await client.response('POST');
    expect([head.status, body.toString()]).toEqual([413, 'big']);
    expect(head.headers.tokens('connection')).toEqual(['close']);
    expect(await client.read()).toBeNull();
  });

  it('that is short and unwanted is passed over: the next request is understood', async () => {
    await using stage = await createStage();
    await using client = await stage.client();
    const own = `Host: localhost:${stage.proxy.port}`;
    client.send(['POST /nowhere HTTP/1.1', own, stage.token, 'Content-Length: 5'], 'GET /');
    expect((await client.response('POST')).head.status).toBe(404);
    client.send(['GET / HTTP/1.1', own, stage.token]);
    expect((await client.response()).head.status).toBe(200);
  });

  it('streams both ways in step: neither side is held in memory', async () => {
    let received = 0;
    let paused: Socket | null = null;
    await using origin = await createRawServer((socket) => {
      socket.on('data', (bytes) => {
        received += bytes.length;
        if (paused === null) {
          paused = socket;
          socket.pause();
        }
      });
    });
    await using stage = await createStage({ settings: DIRECT });
    await using client = await stage.client();
    const length = 100_000_000;
    client.send([
      `POST ${origin.url}/ HTTP/1.1`,
      ...['Host: x', stage.token, `Content-Length: ${length}`],
    ]);
    const piece = Buffer.alloc(1_000_000);
    let sent = 0;
    while (sent < length && client.socket.write(piece)) {
      sent += piece.length;
    }
    await vi.waitFor(() => expect(received).toBeGreaterThan(0));
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 60; at += 1) {
      client.socket.write(piece);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    // The 60 MB of the client are its own; what the proxy took of them is a few buffers, and the kernel's.
    expect(client.socket.writableLength).toBeGreaterThan(40_000_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });
});
