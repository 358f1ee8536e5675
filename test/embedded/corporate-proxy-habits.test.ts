// Each habit of the embedded corporate proxy as it looks on the wire, and the wire itself: split heads, half-closed
// tunnels, garbage.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { firstLeg, proxyWith, signOnTo } from './habit-stage.ts';
import { ALICE } from './network.ts';
import { RawClient, session, signOn } from './raw-client.ts';

let origin: Origin;

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(() => origin.close());

describe('habits', () => {
  it('close-on-first-407 ends the connection behind the offers, not behind a challenge', async () => {
    await using proxy = await proxyWith('close-on-first-407');
    await using first = await RawClient.to(proxy);
    await using second = await RawClient.to(proxy);
    const { head } = await first.ask('GET', origin.url);

    expect(head.headers.first('connection')).toBe('close');
    expect(await first.read()).toBeNull();
    expect((await signOnTo(second, `${origin.url}/bytes/1`)).head.status).toBe(200);
  });

  it('close-after-challenge ends the connection behind the challenge', async () => {
    await using proxy = await proxyWith('close-after-challenge');
    await using client = await RawClient.to(proxy);
    await client.ask('GET', origin.url);
    const { head } = await client.ask('GET', origin.url, [
      `Proxy-Authorization: ${await firstLeg()}`,
    ]);

    expect(head.headers.first('proxy-authenticate')).toMatch(/^NTLM TlRM/);
    expect(head.headers.tokens('connection')).toEqual(['close']);
    expect(await client.read()).toBeNull();
  });

  it.each([
    [['large-407'], 'content-length', 70 * 1024],
    [['chunked-407'], 'transfer-encoding', 65],
    [['large-407', 'chunked-407'], 'transfer-encoding', 70 * 1024],
  ] as const)('%j sends such a body with every 407, and goes on', async (habits, field, length) => {
    await using proxy = await proxyWith(...habits);
    await using client = await RawClient.to(proxy);
    const refusal = await client.ask('GET', origin.url);
    const headOnly = await client.ask('HEAD', origin.url);

    expect(refusal.head.headers.all(field)).toHaveLength(1);
    expect(refusal.body).toHaveLength(length);
    expect(headOnly.body).toHaveLength(0);
    expect((await signOnTo(client, `${origin.url}/bytes/1`)).head.status).toBe(200);
  });

  it('close-delimited-407 announces no length for a 407 without a token', async () => {
    await using proxy = await proxyWith('close-delimited-407');
    await using first = await RawClient.to(proxy);
    await using second = await RawClient.to(proxy);
    const { head, body } = await first.ask('GET', origin.url);

    expect(head.headers.first('content-length') ?? head.headers.first('transfer-encoding')).toBe(
      undefined,
    );
    expect(String(body)).toContain('Proxy authentication required');
    expect((await signOnTo(second, `${origin.url}/bytes/1`)).head.status).toBe(200);
  });

  it('http-1.0 answers in the old version and keeps the connection by name', async () => {
    await using proxy = await proxyWith('http-1.0');
    await using client = await RawClient.to(proxy);
    const { head } = await client.ask('GET', origin.url);

    expect(head.version).toBe('1.0');
    expect(head.headers.first('connection')).toBe('keep-alive');
    expect(head.headers.first('proxy-connection')).toBe('keep-alive');
    expect((await signOnTo(client, `${origin.url}/bytes/1`)).head).toMatchObject({
      version: '1.0',
      status: 200,
    });
  });

  it('http-1.0 never answers in chunks', async () => {
    await using proxy = await createCorporateProxy({ schemes: [], habits: ['http-1.0'] });
    await using client = await RawClient.to(proxy);
    const { head, body } = await client.ask('GET', `${origin.url}/chunked/70000`);

    expect(head.headers.first('transfer-encoding')).toBeUndefined();
    expect(body).toEqual(originBytes(70_000));
  });

  it('one-line-offers joins all schemes by commas', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate', 'Basic', 'NTLM'],
      users: [ALICE],
      habits: ['one-line-offers'],
    });
    await using client = await RawClient.to(proxy);
    const { head } = await client.ask('GET', origin.url);

    expect(head.headers.all('proxy-authenticate')).toEqual([
      'Negotiate, Basic realm="Corporate proxy", charset="UTF-8", NTLM',
    ]);
  });

  it('early-bytes sends the origin’s first bytes in one packet with the 200', async () => {
    await using proxy = await proxyWith('early-bytes');
    await using client = await RawClient.to(proxy);
    const speaker = createServer((socket) => socket.end('220 ready\r\n')).listen(0, '127.0.0.1');
    await once(speaker, 'listening');
    const { port } = speaker.address() as AddressInfo;
    using auth = await session('ntlm');
    const { head, rest } = await signOn(client, auth, ['CONNECT', `127.0.0.1:${port}`]);
    speaker.close();

    expect(head.status).toBe(200);
    expect(String(rest)).toBe('220 ready\r\n');
    expect(client.packets).toHaveLength(1);
    expect(await client.read()).toBeNull();
  });

  it('early-bytes gives up on an origin that waits for the client', async () => {
    await using proxy = await createCorporateProxy({ schemes: [], habits: ['early-bytes'] });
    await using client = await RawClient.to(proxy);
    const { rest } = await client.ask('CONNECT', `127.0.0.1:${origin.port}`);
    const inner = await client.ask('GET', '/bytes/7');

    expect(rest).toHaveLength(0);
    expect(inner.body).toEqual(originBytes(7));
  });

  it('split-token spreads the head of a challenge over packets', async () => {
    await using proxy = await proxyWith('split-token');
    await using client = await RawClient.to(proxy);
    await client.ask('GET', origin.url, [`Proxy-Authorization: ${await firstLeg()}`]);

    expect(client.packets).toHaveLength(4);
    expect(String(client.packets[1])).toMatch(/NTLM TlR$/);
    expect((await signOnTo(client, `${origin.url}/bytes/1`)).head.status).toBe(200);
  });

  it('407-for-blocked answers so after a good sign-on, which stays good', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['407-for-blocked'],
      blocked: (target, user) => user === 'CORP\\alice' && target.endsWith('/blocked'),
    });
    await using client = await RawClient.to(proxy);
    using auth = await session('ntlm');
    const blocked = await signOn(client, auth, ['GET', `${origin.url}/blocked`]);

    expect(blocked.head.status).toBe(407);
    expect(blocked.head.headers.all('proxy-authenticate')).toEqual(['NTLM']);
    expect((await client.ask('GET', `${origin.url}/bytes/1`)).head.status).toBe(200);
    expect(proxy.log.find(({ leg }) => leg === 'final')).toMatchObject({
      reason: 'blocked',
      user: 'CORP\\alice',
    });
    expect(proxy.counts()).toMatchObject({ refused: 0, finalLegs: { 'CORP\\alice': 1 } });
  });

  it.each([
    ['reset-after-first-leg', { finalLegs: {} }],
    ['reset-after-final-leg', { finalLegs: { 'CORP\\alice': 1 } }],
  ] as const)('%s resets once, when times is 1', async (name, counts) => {
    await using proxy = await proxyWith({ name, times: 1 });
    await using first = await RawClient.to(proxy);
    await using second = await RawClient.to(proxy);

    await expect(signOnTo(first, `${origin.url}/bytes/1`)).rejects.toThrow('ECONNRESET');
    expect(proxy.counts()).toMatchObject({ handshakes: 1, ...counts });
    expect(proxy.log.at(-1)?.status).toBeNull();
    expect((await signOnTo(second, `${origin.url}/bytes/1`)).head.status).toBe(200);
  });
});

describe('the wire', () => {
  it('takes a head that arrives byte by byte, and several requests in one packet', async () => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    await using client = await RawClient.to(proxy);
    for (const byte of `GET ${origin.url}/bytes/1 HTTP/1.1\r\nHost: x\r\n\r\n`) {
      client.socket.write(byte);
    }
    expect((await client.response()).body).toEqual(originBytes(1));

    const next = `GET ${origin.url}/bytes/2 HTTP/1.1\r\nHost: x\r\n\r\n`;
    client.send([`POST ${origin.url}/echo-sha256 HTTP/1.1`, 'Content-Length: 3'], `abc${next}`);
    const echoed = await client.response('POST');
    expect(JSON.parse(String(echoed.body)).length).toBe(3);
    expect((await client.response()).body).toEqual(originBytes(2));
  });

  it('forwards bytes sent ahead of the 200, and leaves a half-closed tunnel open', async () => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    await using client = await RawClient.to(proxy);
    const answerAtEnd = createServer({ allowHalfOpen: true }, (socket) => {
      let received = '';
      socket.on('data', (data) => {
        received += data;
      });
      socket.on('end', () => socket.end(`got ${received}`));
    }).listen(0, '127.0.0.1');
    await once(answerAtEnd, 'listening');
    const { port } = answerAtEnd.address() as AddressInfo;
    client.send([`CONNECT 127.0.0.1:${port} HTTP/1.1`], 'ahead');
    client.socket.end();
    const { head } = await client.response('CONNECT');
    const rest = client.packets.length === 1 ? await client.read() : null;
    answerAtEnd.close();

    expect(head.status).toBe(200);
    expect(String(rest)).toBe('got ahead');
    expect(await client.read()).toBeNull();
  });

  it('breaks off when the origin does', async () => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    await using client = await RawClient.to(proxy);

    await expect(client.ask('GET', `${origin.url}/truncated/1000`)).rejects.toThrow('cut short');
  });

  it.each([
    ['400', ['HELLO'], ''],
    ['400', ['POST http://a.test/ HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'], ''],
    ['400', ['CONNECT nowhere HTTP/1.1'], ''],
    ['400', ['GET ftp://a.test/ HTTP/1.1'], ''],
    ['431', ['GET / HTTP/1.1', `X: ${'x'.repeat(70_000)}`], ''],
  ])('answers %s to %j', async (status, lines) => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    await using client = await RawClient.to(proxy);
    client.send(lines);

    expect(String((await client.response()).head.status)).toBe(status);
  });

  it('answers a request to the proxy itself only after sign-on', async () => {
    await using proxy = await proxyWith();
    await using client = await RawClient.to(proxy);

    expect((await client.ask('HEAD', proxy.url)).head.status).toBe(407);
    using auth = await session('ntlm');
    expect((await signOn(client, auth, ['HEAD', `${proxy.url}/`])).head.status).toBe(200);
  });

  it('does not pass on credentials of a scheme that is not offered', async () => {
    await using proxy = await proxyWith();
    await using client = await RawClient.to(proxy);
    const { head } = await client.ask('GET', origin.url, ['Proxy-Authorization: Basic YTpi']);

    expect(head.status).toBe(407);
    expect(proxy.log[0]).toMatchObject({ reason: 'scheme-not-offered', scheme: null });
  });

  it('close() ends idle connections, half handshakes and tunnels', async () => {
    const proxy = await proxyWith();
    await using idle = await RawClient.to(proxy);
    await using half = await RawClient.to(proxy);
    await using tunnel = await RawClient.to(proxy);
    await half.ask('GET', origin.url, [`Proxy-Authorization: ${await firstLeg()}`]);
    using auth = await session('ntlm');
    await signOn(tunnel, auth, ['CONNECT', `127.0.0.1:${origin.port}`]);
    await proxy.close();

    expect(await Promise.all([idle.read(), half.read(), tunnel.read()])).toEqual([
      null,
      null,
      null,
    ]);
  });
});
