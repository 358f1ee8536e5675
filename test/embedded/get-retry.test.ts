// `sallyport get --retry` and `--max-time`: what is tried again, how long, and what never is.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import type { Answer } from './file-server.ts';
import { createFileServer, status } from './file-server.ts';
import { ALICE, AS_ALICE, ownFolder } from './network.ts';
import { createRawServer } from './raw-server.ts';

const BODY = originBytes(1000);
const SHA256 = createHash('sha256').update(BODY).digest('hex');
const AT_ONCE = { 'retry-after': '0' };

let proxy: CorporateProxy;
let file: string;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
});

afterAll(() => proxy.close());

beforeEach(() => {
  file = join(ownFolder('retry'), 'out.bin');
});

const get = (args: readonly string[], options = {}) =>
  sallyport(['get', '--proxy', proxy.url, ...args], { env: AS_ALICE, ...options });
const inFolder = () => readdirSync(join(file, '..')).sort();
const lines = (text: string) => text.trim().split('\n');

describe('--retry', () => {
  it.each([
    ['forwarded', false],
    ['through a tunnel', true],
  ])('goes on where the body was cut, %s', async (_way, tls) => {
    await using server = await createFileServer(BODY, { tls });
    server.cuts.push(400, 100);
    const args = ['--json', '--retry', '2', '--sha256', SHA256, '-o', file, `${server.url}/x`];
    const { code, stdout, stderr } = await get(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({ tries: 3, bytes: 1000, continuedAt: 0 });
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=400-',
      'bytes=500-',
    ]);
    expect(lines(stderr)).toEqual([
      expect.stringMatching(/after 400 bytes\. Trying again in (?:0\.[789]|1) s \(1 of 2\)\.$/),
      expect.stringMatching(/after 100 bytes\. Trying again in [12][\d.]* s \(2 of 2\)\.$/),
    ]);
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(inFolder()).toEqual(['out.bin']);
  });

  it('begins again where the file was changed meanwhile', async () => {
    await using server = await createFileServer(BODY);
    server.cuts.push(400);
    server.body = Buffer.from(BODY.map((byte) => byte ^ 0xff));
    server.instead.push((_request, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': '1000' });
      response.write(BODY.subarray(0, 400), () => response.socket?.end());
      server.validators = { etag: '"v2"' };
    });
    const args = ['--retry', '1', '-o', file, `${server.url}/x`];
    server.cuts.splice(0);
    expect((await get(args)).code).toBe(0);
    expect(readFileSync(file).equals(server.body)).toBe(true);
  });

  it('goes on in standard output, when the version is the same', async () => {
    await using server = await createFileServer(BODY);
    server.cuts.push(400);
    const { code, stdout } = await get(['--retry', '1', '--sha256', SHA256, `${server.url}/x`]);
    expect([code, stdout.equals(BODY)]).toEqual([0, true]);
  });

  it.each([
    ['cannot be continued', {}, 1],
    ['was changed meanwhile', { etag: '"v1"' }, 2],
  ])('gives standard output nothing twice, where it %s', async (_what, validators, asked) => {
    await using server = await createFileServer(BODY, { validators });
    server.instead.push((_request, response) => {
      response.writeHead(200, { ...validators, 'content-length': '1000' });
      response.write(BODY.subarray(0, 400), () => response.socket?.end());
      server.validators = { etag: '"v2"' };
    });
    const { code, stdout } = await get(['--retry', '3', `${server.url}/x`]);
    expect([code, stdout.equals(BODY.subarray(0, 400))]).toEqual([8, true]);
    // The one that cannot be continued is asked for again, too: an answer could have been the rest.
    expect(server.requests.length).toBeLessThanOrEqual(asked + 1);
  });

  it.each([408, 429, 500, 502, 503, 504])('tries again after %d', async (code) => {
    await using server = await createFileServer(BODY);
    server.instead.push(status(code, AT_ONCE), status(code, AT_ONCE));
    expect((await get(['--retry', '2', '-o', file, `${server.url}/x`])).code).toBe(0);
    expect(server.requests).toHaveLength(3);
  });

  it('ends with the last failure when all tries are used', async () => {
    await using server = await createFileServer(BODY);
    server.instead.push(...[503, 502, 500].map((one) => status(one, AT_ONCE)));
    const args = ['--json', '--retry', '2', '-o', file, `${server.url}/x`];
    const { code, stdout } = await get(args);
    expect(code).toBe(7);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      error: { code: 'HTTP_STATUS', status: 500 },
    });
    expect(server.requests).toHaveLength(3);
  });

  it.each([400, 401, 403, 404, 410, 501])('does not try again after %d', async (code) => {
    await using server = await createFileServer(BODY);
    server.instead.push(status(code, AT_ONCE));
    expect((await get(['--retry', '3', '-o', file, `${server.url}/x`])).code).toBe(7);
    expect(server.requests).toHaveLength(1);
  });

  it('waits as long as it is asked to', async () => {
    await using server = await createFileServer(BODY);
    server.instead.push(status(503, { 'retry-after': '2' }));
    const started = performance.now();
    const { code, stderr } = await get(['--retry', '1', '-o', file, `${server.url}/x`]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Trying again in 2 s (1 of 1).')]);
    expect(performance.now() - started).toBeGreaterThan(2000);
  });

  it('does not wait for an hour, and says so', async () => {
    await using server = await createFileServer(BODY);
    server.instead.push(status(503, { 'retry-after': '3600' }));
    const { code, stderr } = await get(['-v', '--retry', '1', '-o', file, `${server.url}/x`]);
    expect([code, stderr]).toEqual([
      7,
      expect.stringContaining('asks to wait 3600 s, which is too long'),
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it('tries again when the proxy cannot reach the server, or is gone itself', async () => {
    const refused = await get(['--retry', '1', 'https://127.0.0.1:1/']);
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringMatching(/502.*Trying again/) });
    const gone = await get(['--proxy', 'http://127.0.0.1:1', '--retry', '1', 'http://x.example/']);
    expect(gone).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/ECONNREFUSED.*Trying again/),
    });
  });

  it('tries again when the server says nothing', async () => {
    let turns = 0;
    await using server = await createRawServer((socket) => {
      turns += 1;
      const answer = turns === 1 ? '' : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      socket.once('data', () => socket.end(answer));
    });
    const { code, stdout } = await sallyport([
      ...['get', '--proxy', 'direct', '--retry', '1', `${server.url}/x`],
    ]);
    expect([code, stdout.toString()]).toEqual([0, 'ok']);
  });

  it('sends a wrong password once', async () => {
    await using theirs = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using server = await createFileServer(BODY);
    const { code, stderr } = await get(['--retry', '5', '--proxy', theirs.url, `${server.url}/x`], {
      env: { ...AS_ALICE, SALLYPORT_PASSWORD: 'Wrong-Secret9' },
    });
    expect([code, lines(stderr).length]).toEqual([4, 1]);
    expect(theirs.counts().finalLegs['CORP\\alice']).toBe(1);
    expect(theirs.counts().connections).toBe(1);
  });

  it('does not try again what is not trusted', async () => {
    await using server = await createFileServer(BODY, { tls: true });
    const args = ['--retry', '5', '--ca', '/etc/ssl/certs/ca-certificates.crt', `${server.url}/x`];
    const { code, stderr } = await get(args);
    expect([code, lines(stderr).length]).toEqual([6, 1]);
  });

  it('does not try again what cannot be written', async () => {
    await using server = await createFileServer(BODY);
    const { code, stderr } = await get(['--retry', '5', `${server.url}/x`], {
      redirect: '>/dev/full',
    });
    expect([code, lines(stderr).length]).toEqual([9, 1]);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [['--retry', '-1'], /whole number from 0 to 1000/],
    [['--retry', 'x'], /whole number from 0 to 1000/],
    [['--retry', '2', '-X', 'POST'], /a POST may act twice/],
    [['--retry', '2', '-T', '-'], /standard input is read once/],
    [['--max-time', '0'], /seconds above 0/],
    [['--max-time', 'x'], /seconds above 0/],
  ])('%j is refused', async (args, says) => {
    const { code, stderr } = await get([...args, 'http://127.0.0.1:1/x']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
  });
});

describe('--max-time', () => {
  const late = {
    code: 6,
    stderr: expect.stringMatching(/The 1 s of --max-time are over (?:after|before)/),
  };

  it('ends a body that does not come, and keeps what has', async () => {
    await using stuck = await createRawServer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: 6\r\n\r\nabc'),
      );
    });
    const args = ['--json', '--max-time', '1', '--retry', '5', '-o', file, `${stuck.url}/x`];
    const ended = await get(args);
    expect(ended).toMatchObject(late);
    expect(ended.stderr).toMatch(
      /over after 3 B\. What has arrived is in .*\.part: --continue goes on/,
    );
    expect(JSON.parse(ended.stdout.toString())).toMatchObject({ error: { code: 'TIMEOUT' } });
    expect(lines(ended.stderr)).toHaveLength(1);
    expect(readFileSync(`${file}.part`, 'utf8')).toBe('abc');
    expect(existsSync(`${file}.part.lock`)).toBe(false);
  });

  it.each([
    ['a proxy', 'https://example.com/'],
    ['a forwarding proxy', 'http://example.com/'],
  ])('ends the silence of %s', async (_what, url) => {
    await using silent = await createRawServer(() => undefined);
    const ended = await get(['--max-time', '1', '--proxy', silent.url, url]);
    expect(ended).toMatchObject(late);
    expect(ended.stderr).toContain('before the first byte');
  });

  it('counts redirects and tries together', async () => {
    await using server = await createFileServer(BODY);
    const later =
      (answer: Answer): Answer =>
      (request, response) =>
        void setTimeout(() => answer(request, response), 100);
    const both = [later(status(302, { location: '/next' })), later(status(503, AT_ONCE))];
    server.instead.push(...Array.from({ length: 100 }, () => both).flat());
    const ended = await get(['--max-time', '1', '--retry', '100', '-o', file, `${server.url}/x`]);
    expect(ended).toMatchObject(late);
    expect(server.requests.length).toBeGreaterThan(2);
    await wait(200);
  });

  it('does not wait for a try there is no time for', async () => {
    await using server = await createFileServer(BODY);
    server.instead.push(status(503, { 'retry-after': '30' }));
    const started = performance.now();
    const args = ['-v', '--max-time', '5', '--retry', '5', '-o', file, `${server.url}/x`];
    const { code, stderr } = await get(args);
    expect([code, stderr]).toEqual([7, expect.stringContaining('no time is left for another try')]);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('says that it ended the tries, without -v', async () => {
    await using server = await createFileServer(BODY);
    server.instead.push(status(503, { 'retry-after': '30' }));
    const args = ['--max-time', '5', '--retry', '5', '-o', file, `${server.url}/x`];
    const { code, stderr } = await get(args);
    expect([code, stderr]).toEqual([
      7,
      expect.stringMatching(/answer.* 503.* --max-time leaves no time for another try\.\n$/),
    ]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('leaves a download alone that is in time', async () => {
    await using origin = await createOrigin();
    const args = ['--max-time', '60', '-o', file, `${origin.url}/bytes/1000`];
    const started = performance.now();
    expect(await get(args)).toMatchObject({ code: 0, stderr: '' });
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
