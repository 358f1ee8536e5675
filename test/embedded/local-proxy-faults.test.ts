// What goes wrong round the local proxy: each time the client gets a right answer or a clear error in time, and nothing is left.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { untilQuiet } from '../../src/cli/linger.ts';
import { createProxyServer } from '../../src/server/local-proxy.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { createStage } from './local-proxy-stage.ts';
import { ALICE, clientOfAlice } from './network.ts';
import type { RawServer } from './raw-server.ts';
import { createRawServer } from './raw-server.ts';

const DIRECT = { noProxy: '127.0.0.1' };
const GET = (url: string, token: string) => [`GET ${url} HTTP/1.1`, 'Host: x', token];

/** A TCP relay to a port that may change: a proxy behind it can be killed and started again. */
async function createSwitch(): Promise<{
  server: RawServer;
  to: { port: number };
  drop: () => void;
}> {
  const to = { port: 0 };
  const open = new Set<Socket>();
  const server = await createRawServer((near) => {
    const far = connect(to.port, '127.0.0.1');
    far.on('error', () => near.destroy());
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    open.add(near);
    near.pipe(far).pipe(near);
  });
  return { server, to, drop: () => open.forEach((socket) => void socket.destroy()) };
}

describe('the proxy upstream', () => {
  it('that is killed and started again ends what was under way, and serves what comes after', async () => {
    await using echo = await createRawServer((socket) => socket.pipe(socket));
    await using slow = await createRawServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    });
    await using origin = await createOrigin();
    const { server, to, drop } = await createSwitch();
    await using _relay = server;
    const first = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    to.port = first.port;
    await using stage = await createStage({ settings: { proxy: server.url } });
    await using tunnel = await stage.client();
    tunnel.send([`CONNECT 127.0.0.1:${echo.port} HTTP/1.1`, 'Host: x', stage.token]);
    expect((await tunnel.response('CONNECT')).head.status).toBe(200);
    await using cut = await stage.client();
    cut.send(GET(slow.url, stage.token));
    expect((await cut.read())?.toString()).toContain('200 OK');
    await using waiting = await stage.client();
    await using silent = await createRawServer((socket) => void socket.resume());
    waiting.send(GET(silent.url, stage.token));
    await vi.waitFor(() => expect(silent.connections()).toBe(1));

    await first.close();
    drop();
    tunnel.socket.write('anybody?');
    expect(await tunnel.read()).toBeNull();
    while ((await cut.read()) !== null) {
      // The rest of what had come.
    }
    const lost = await waiting.response();
    expect(lost.head.status).toBe(502);
    expect(lost.head.headers.first('proxy-status')).toContain('error=connection_terminated');
    waiting.send(GET(origin.url, stage.token));
    expect((await waiting.response()).head.status).toBe(502);

    await using second = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    to.port = second.port;
    waiting.send(GET(`${origin.url}/bytes/9`, stage.token));
    expect((await waiting.response()).body.equals(originBytes(9))).toBe(true);
  });

  it('that drops all idle connections at once costs nobody an answer', async () => {
    await using origin = await createOrigin();
    await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const { server, to, drop } = await createSwitch();
    await using _relay = server;
    to.port = corporate.port;
    await using stage = await createStage({ settings: { proxy: server.url } });
    const clients = await Promise.all(Array.from({ length: 8 }, () => stage.client()));
    for (let round = 0; round < 3; round += 1) {
      const answers = clients.map(async (client) => {
        client.send(GET(`${origin.url}/bytes/99`, stage.token));
        return (await client.response()).head.status;
      });
      expect(await Promise.all(answers)).toEqual(clients.map(() => 200));
      drop();
    }
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it('that has just dropped its idle connections gets a POST on another one, once', async () => {
    await using origin = await createOrigin();
    await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const { server, to, drop } = await createSwitch();
    await using _relay = server;
    to.port = corporate.port;
    await using upstream = await clientOfAlice({ proxy: server.url });
    const ROUNDS = 10;
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = Buffer.from(String(round));
      const url = `${origin.url}/echo-sha256`;
      const answer = await upstream.request(url, { method: 'POST', body });
      expect(answer.status).toBe(200);
      await once(answer.body.resume(), 'close');
      // In the same turn as the next request: its end has not been heard of yet.
      drop();
    }
    expect(origin.log).toHaveLength(ROUNDS);
  });

  it('that is lost while a POST waits for the word to go on has got nothing of it, and is asked once more', async () => {
    await using origin = await createOrigin();
    await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    let asked = 0;
    await using relay = await createRawServer((near) => {
      const far = connect(corporate.port, '127.0.0.1');
      near.on('close', () => far.destroy());
      far.on('error', () => near.destroy()).pipe(near);
      near.on('data', (bytes) => {
        const asks = bytes.includes('Expect: 100-continue');
        asked += asks ? 1 : 0;
        asks && asked === 1 ? near.destroy() : far.write(bytes);
      });
    });
    // Where a sign-on may be asked for, what can be sent once only waits for the word.
    const trusted = [new URL(origin.url).host];
    await using upstream = await clientOfAlice({ proxy: relay.url, trusted });
    await once((await upstream.request(`${origin.url}/bytes/1`)).body.resume(), 'close');
    const body = Readable.from([Buffer.from('large')]);
    const url = `${origin.url}/echo-sha256`;
    const answer = await upstream.request(url, { method: 'POST', body });
    expect([answer.status, asked]).toEqual([200, 2]);
    expect(await json(answer.body)).toMatchObject({ length: 5 });
    expect(origin.log.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it.each([
    ['before a sign-on', 'PUT'],
    ['behind it', 'GET'],
  ])(
    'that cuts an upload in the middle, %s, is told from one that cuts a sign-on',
    async (_, first) => {
      await using silent = await createRawServer((socket) => void socket.resume());
      await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
      await using relay = await createRawServer((near) => {
        const far = connect(corporate.port, '127.0.0.1');
        let received = 0;
        near.on('close', () => far.destroy());
        far.on('error', () => near.destroy()).pipe(near);
        near.on('data', (bytes) => {
          received += bytes.length;
          received > 1_000_000 ? near.resetAndDestroy() : far.write(bytes);
        });
      });
      await using origin = await createOrigin();
      await using upstream = await clientOfAlice({ proxy: relay.url });
      const known = first === 'GET' ? [await upstream.request(`${origin.url}/bytes/1`)] : [];
      const body = Buffer.alloc(50_000_000);
      await expect(upstream.request(silent.url, { method: 'PUT', body })).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
        message: expect.stringContaining('in the middle of an upload'),
      });
      known.map((answer) => answer.body.destroy());
    },
  );

  it.each(['GET http://origin.test/ HTTP/1.1', 'CONNECT origin.test:443 HTTP/1.1'])(
    'that accepts and never answers is 504 in time: %s',
    async (line) => {
      await using silent = await createRawServer((socket) => void socket.resume());
      const settings = { proxy: silent.url, idleTimeoutMs: 300, handshakeTimeoutMs: 300 };
      await using stage = await createStage({ settings });
      await using client = await stage.client();
      const started = performance.now();
      client.send([line, 'Host: x', stage.token]);
      const { head } = await client.response();
      expect(head.status).toBe(504);
      expect(head.headers.first('proxy-status')).toContain('error=connection_read_timeout');
      expect(performance.now() - started).toBeLessThan(1500);
    },
  );

  it('that is not there is 502 at once, and the connection goes on', async () => {
    await using gone = await createRawServer(() => undefined);
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await using stage = await createStage({ settings: { proxy: url } });
    await using client = await stage.client();
    for (let at = 0; at < 2; at += 1) {
      client.send(GET('http://origin.test/', stage.token));
      const { head } = await client.response();
      expect(head.headers.first('proxy-status')).toContain('error=connection_refused');
      expect(head.status).toBe(502);
    }
  });

  it.each(['POST', 'PATCH', 'LOCK', 'MERGE', 'X-UNKNOWN'])(
    'that is lost with a %s on a connection of before has seen it once',
    async (method) => {
      let posts = 0;
      await using server = await createRawServer((socket) => {
        socket.on('data', (bytes) => {
          const text = bytes.toString();
          if (text.includes(method)) {
            posts += 1;
            socket.destroy();
          } else {
            socket.write('HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n');
          }
        });
      });
      await using stage = await createStage({ settings: DIRECT });
      await using client = await stage.client();
      // An origin that asks for NTLM ties its connection to this client: the next request goes out on it.
      client.send(GET(server.url, stage.token));
      expect((await client.response()).head.status).toBe(401);
      client.send(
        [`${method} ${server.url}/ HTTP/1.1`, 'Host: x', stage.token, 'Content-Length: 4'],
        'once',
      );
      expect((await client.response(method)).head.status).toBe(502);
      expect([posts, server.connections()]).toEqual([1, 1]);
    },
  );

  it('that changes the protocol unasked is 502, and gets no other request on that connection', async () => {
    await using server = await createRawServer((socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 101 Ha\r\nUpgrade: mine\r\n\r\n'));
    });
    await using stage = await createStage({ settings: { proxy: server.url } });
    await using client = await stage.client();
    for (let at = 1; at <= 2; at += 1) {
      client.send(GET('http://origin.test/', stage.token));
      expect((await client.response()).head.status).toBe(502);
      expect(server.connections()).toBe(at);
    }
  });
});

describe('a client', () => {
  it.each([
    ['download', 'HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n', ''],
    ['upload', '', 'Content-Length: 50000000\r\n'],
    ['wait', '', ''],
  ])(
    'that goes away in the middle of its %s takes the connection upstream with it',
    async (_claim, answer, fields) => {
      const sockets: Socket[] = [];
      await using server = await createRawServer((socket) => {
        sockets.push(socket);
        socket.once('data', () => {
          socket.resume();
          if (answer !== '') {
            socket.write(answer);
            socket.write(Buffer.alloc(5_000_000));
          }
        });
      });
      await using stage = await createStage({ settings: DIRECT });
      await using client = await stage.client();
      client.socket.write(
        `${fields === '' ? 'GET' : 'PUT'} ${server.url}/ HTTP/1.1\r\nHost: x\r\n${stage.token}\r\n${fields}\r\n`,
      );
      await vi.waitFor(() => expect(sockets).toHaveLength(1));
      await wait(50);
      client.socket.resetAndDestroy();
      await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), 5000);
    },
  );

  it('that sends half a request and closes is forgotten', async () => {
    await using stage = await createStage();
    await using client = await stage.client();
    client.socket.end('GET http://origin.test/ HTTP/1.1\r\nHo');
    expect(await client.read()).toBeNull();
    expect(stage.corporate.counts().connections).toBe(0);
  });

  it('whose body is shorter than announced gets no answer, and the origin no whole request', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage({ settings: DIRECT });
    await using client = await stage.client();
    client.socket.end(
      `PUT ${origin.url}/echo-sha256 HTTP/1.1\r\nHost: x\r\n${stage.token}\r\nContent-Length: 200000\r\n\r\nshort`,
    );
    expect(await client.read()).toBeNull();
    expect(origin.log.filter(({ method }) => method === 'PUT').length).toBeLessThanOrEqual(1);
  });

  it('whose body is longer than announced is answered, and the rest is no request', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage({ settings: DIRECT });
    await using client = await stage.client();
    client.send(
      [`PUT ${origin.url}/echo-sha256 HTTP/1.1`, 'Host: x', stage.token, 'Content-Length: 4'],
      'bodyGARBAGE\r\n\r\n',
    );
    const { head, body, rest } = await client.response('PUT');
    expect([head.status, JSON.parse(body.toString()).length]).toEqual([200, 4]);
    const more = rest.length > 0 ? rest.toString() : String(await client.read());
    expect(more).toMatch(/^HTTP\/1\.1 400 /);
    expect(origin.log).toHaveLength(1);
  });

  it('among 300 that drip their requests is served at once', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage();
    const slow = await Promise.all(Array.from({ length: 300 }, () => stage.client()));
    for (const client of slow) {
      client.socket.write('GET http://origin.test/ HTTP/1.1\r\nX-Slow: ');
    }
    await using client = await stage.client();
    client.send(GET(`${origin.url}/bytes/3`, stage.token));
    expect((await client.response()).head.status).toBe(200);
    await Promise.all(slow.map((one) => one[Symbol.asyncDispose]()));
  });

  it('that was signed on by an origin has that connection for itself, and both end together', async () => {
    const sockets: Socket[] = [];
    await using server = await createRawServer((socket) => {
      const number = sockets.push(socket);
      socket.on('data', () => {
        socket.write(
          `HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 1\r\n\r\n${number}`,
        );
      });
    });
    await using stage = await createStage({ settings: DIRECT });
    await using other = await stage.client();
    const client = await stage.client();
    const seen: string[] = [];
    for (const one of [client, other, client, other, client]) {
      one.send([...GET(server.url, stage.token), 'Authorization: NTLM TlRMTVNTUAABAAAA']);
      seen.push((await one.response()).body.toString());
    }
    expect(seen).toEqual(['1', '2', '1', '2', '1']);
    const closed = sockets[0] === undefined ? null : once(sockets[0], 'close');
    await client[Symbol.asyncDispose]();
    await closed;
    expect(sockets[1]?.destroyed).toBe(false);
  });
});

describe('places', () => {
  it('are waited for, and a connection that rests makes room', async () => {
    await using origin = await createOrigin();
    await using stage = await createStage({ maxClients: 1 });
    await using resting = await stage.client();
    resting.send(GET(`${origin.url}/bytes/3`, stage.token));
    expect((await resting.response()).head.status).toBe(200);
    await using next = await stage.client();
    next.send(GET(`${origin.url}/bytes/3`, stage.token));
    expect((await next.response()).head.status).toBe(200);
    expect(await resting.read()).toBeNull();
  });

  it('that stay taken are a clear 503 for the next one, and are free again when one ends', async () => {
    await using echo = await createRawServer((socket) => socket.pipe(socket));
    await using origin = await createOrigin();
    await using stage = await createStage({ maxClients: 1 });
    const tunnel = await stage.client();
    tunnel.send([`CONNECT 127.0.0.1:${echo.port} HTTP/1.1`, 'Host: x', stage.token]);
    expect((await tunnel.response('CONNECT')).head.status).toBe(200);
    await using refused = await stage.client();
    refused.send(GET(`${origin.url}/bytes/3`, stage.token));
    const { head } = await refused.response();
    expect(head.status).toBe(503);
    expect(head.headers.first('proxy-status')).toContain('error=connection_limit_reached');
    expect(head.headers.first('retry-after')).toBe('5');
    tunnel.socket.write('still there');
    expect((await tunnel.read())?.toString()).toBe('still there');
    await tunnel[Symbol.asyncDispose]();
    await using next = await stage.client();
    next.send(GET(`${origin.url}/bytes/3`, stage.token));
    expect((await next.response()).head.status).toBe(200);
  });
});

describe('untilQuiet()', () => {
  it('waits until nobody has been at the proxy for a while, whoever else is served in this process', async () => {
    await using other = await createRawServer(() => undefined);
    await using stage = await createStage();
    const bystander = connect(other.port, '127.0.0.1');
    const client = await stage.client();
    await vi.waitFor(() => expect(stage.proxy.activity).toEqual({ clients: 1, quietMs: 0 }));
    let isQuiet = false;
    const waiting = untilQuiet(stage.proxy, 400).then(() => {
      isQuiet = true;
    });
    await wait(900);
    expect(isQuiet).toBe(false);
    const left = performance.now();
    await client[Symbol.asyncDispose]();
    await waiting;
    expect(performance.now() - left).toBeGreaterThan(390);
    expect(stage.proxy.activity.clients).toBe(0);
    bystander.destroy();
  });
});

describe('the end of the proxy', () => {
  it('lets tunnels and requests come to theirs, and ends what rests at once', async () => {
    await using echo = await createRawServer((socket) => socket.pipe(socket));
    await using stage = await createStage();
    await using tunnel = await stage.client();
    tunnel.send([`CONNECT 127.0.0.1:${echo.port} HTTP/1.1`, 'Host: x', stage.token]);
    expect((await tunnel.response('CONNECT')).head.status).toBe(200);
    await using resting = await stage.client();
    const own = `Host: localhost:${stage.proxy.port}`;
    resting.send(['GET / HTTP/1.1', own, stage.token]);
    expect((await resting.response()).head.status).toBe(200);
    let isClosed = false;
    const closing = stage.proxy.close(10_000).then(() => {
      isClosed = true;
    });
    expect(await resting.read()).toBeNull();
    tunnel.socket.write('on');
    expect((await tunnel.read())?.toString()).toBe('on');
    expect(isClosed).toBe(false);
    await expect(stage.client()).rejects.toThrow();
    tunnel.socket.end();
    await closing;
  });

  it('is cut when its time is over', async () => {
    await using echo = await createRawServer((socket) => socket.pipe(socket));
    await using stage = await createStage();
    await using tunnel = await stage.client();
    tunnel.send([`CONNECT 127.0.0.1:${echo.port} HTTP/1.1`, 'Host: x', stage.token]);
    expect((await tunnel.response('CONNECT')).head.status).toBe(200);
    const started = performance.now();
    await stage.proxy.close(100);
    expect(performance.now() - started).toBeLessThan(2500);
    expect(await tunnel.read()).toBeNull();
  });
});

it('createProxyServer() names the port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await using upstream = await clientOfAlice({ proxy: 'http://127.0.0.1:1' });
  await expect(createProxyServer({ upstream, port })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining(`Port ${port}`),
  });
  taken.close();
});
