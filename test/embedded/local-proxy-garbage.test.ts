// What is no request, or could be read as two: refused before anything goes on, and the connection ends.
import { describe, expect, it } from 'vitest';
import { createOrigin } from '../../src/testing/index.ts';
import type { SallyportOptions } from '../../src/upstream/settings.ts';
import { createStage } from './local-proxy-stage.ts';

const GET = 'GET http://origin.test/ HTTP/1.1';
const POST = 'POST http://origin.test/ HTTP/1.1';

/** The credentials are those in the proxy's URL. */
const NOBODY = { user: undefined, password: undefined } as unknown as SallyportOptions;

describe('the local proxy refuses', () => {
  it.each([
    ['HTTP/0.9', 'GET http://origin.test/\r\n\r\n', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    [
      'a length and chunks',
      `${POST}\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'two lengths',
      `${POST}\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
      400,
    ],
    ['the same length twice', `${POST}\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello`, 400],
    ['a length with a sign', `${POST}\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello`, 400],
    ['another coding', `${POST}\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n`, 400],
    ['chunked twice', `${POST}\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n`, 400],
    [
      'chunks of HTTP/1.0',
      'POST http://origin.test/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a space before the colon', `${POST}\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello`, 400],
    ['a folded line', `${GET}\r\nHost: x\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n`, 400],
    ['a NUL', `${GET}\r\nHost: x\r\nX-A: 1\0\r\n\r\n`, 400],
    ['a bare CR', `${GET}\r\nHost: x\r\nX-A: 1\rTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['two hosts', `${GET}\r\nHost: x\r\nHost: y\r\n\r\n`, 400],
    [
      'a body of CONNECT',
      'CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
      400,
    ],
    ['100,000 headers', `${GET}\r\n${'X-A: 1\r\n'.repeat(100_000)}\r\n`, 431],
  ])('%s', async (_claim, bytes, status) => {
    await using stage = await createStage();
    await using client = await stage.client();
    client.socket.write(bytes, 'latin1');
    const { head } = await client.response();
    expect(head.status).toBe(status);
    expect(head.headers.first('proxy-status')).toMatch(/^sallyport; error=http_request_error;/);
    expect(head.headers.tokens('connection')).toEqual(['close']);
    expect(await client.read()).toBeNull();
    expect(stage.corporate.counts().connections).toBe(0);
  });

  it.each([
    ['a user name in the address', 'http://a@origin.test/'],
    ['a password in the address, without showing it', 'http://a:hidden@origin.test/'],
    ['a backslash in the host', 'http://origin.test\\@evil.test/'],
    ['another scheme', 'ftp://origin.test/'],
    ['a port beyond 65535', 'http://origin.test:99999/'],
    ['what is no address', 'origin.test'],
  ])('%s', async (_claim, target) => {
    await using stage = await createStage();
    await using client = await stage.client();
    client.send([`GET ${target} HTTP/1.1`, 'Host: x', stage.token]);
    const { head, body } = await client.response();
    expect(head.status).toBe(400);
    expect(`${head.headers.first('proxy-status')} ${body}`).not.toContain('hidden');
    expect(stage.corporate.counts().connections).toBe(0);
  });

  it.each([
    ['the mail port', 'mail.test:25', 403],
    ['no port', 'origin.test', 400],
    ['port 0', 'origin.test:0', 400],
    ['an address of http', 'http://origin.test:80', 400],
  ])('a CONNECT to %s, and goes on', async (_claim, target, status) => {
    await using stage = await createStage();
    await using client = await stage.client();
    for (let at = 0; at < 2; at += 1) {
      client.send([`CONNECT ${target} HTTP/1.1`, 'Host: x', stage.token]);
      expect((await client.response()).head.status).toBe(status);
    }
    expect(stage.corporate.counts().connections).toBe(0);
  });

  it.each([
    ['', []],
    [' that is to become a WebSocket', ['Connection: Upgrade', 'Upgrade: websocket']],
  ])('a request to the mail port%s, and goes on', async (_claim, fields) => {
    await using stage = await createStage();
    await using client = await stage.client();
    for (const scheme of ['http', 'https']) {
      client.send([`GET ${scheme}://mail.test:25/ HTTP/1.1`, 'Host: x', stage.token, ...fields]);
      expect((await client.response()).head.status).toBe(403);
    }
    expect(stage.corporate.counts().connections).toBe(0);
  });

  it.each([
    ['has no size', 'xyz\r\n'],
    ['is longer than its size', '3\r\nabcdef\r\n0\r\n\r\n'],
    ['has a size beyond all bounds', `${'f'.repeat(20)}\r\n`],
    ['has an extension without an end', `3;${'x'.repeat(10_000)}`],
  ])('a body whose chunk %s, and the origin never sees its end', async (_claim, chunks) => {
    await using origin = await createOrigin();
    await using stage = await createStage({ settings: { noProxy: '127.0.0.1' } });
    await using client = await stage.client();
    client.send(
      [
        `POST ${origin.url}/echo-sha256 HTTP/1.1`,
        ...['Host: x', stage.token, 'Transfer-Encoding: chunked'],
      ],
      chunks,
    );
    const { head } = await client.response('POST');
    expect(head.status).toBe(400);
    expect(await client.read()).toBeNull();
  });

  it('a request that has come back, whatever Sallyport lies between', async () => {
    await using outer = await createStage();
    // Both are of this process, as if the way of the outer one led back here.
    await using inner = await createStage({ settings: { proxy: outer.proxy.url, ...NOBODY } });
    await using client = await inner.client();
    for (const line of [GET, 'CONNECT origin.test:443 HTTP/1.1']) {
      client.send([line, 'Host: x', inner.token]);
      const { head } = await client.response();
      expect(head.status).toBe(508);
      expect(head.headers.first('proxy-status')).toContain('proxy_loop_detected');
    }
  });
});
