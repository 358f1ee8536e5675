// `sallyport get URL URL...`: each its own file, one sign-on for all, and a word about each that fails.
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { createFileServer, status } from './file-server.ts';
import { ALICE, AS_ALICE, CERTIFICATES, ownFolder } from './network.ts';
import { createRawServer } from './raw-server.ts';

let origin: Origin;
let folder: string;

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(() => origin.close());

beforeEach(() => {
  folder = ownFolder('several');
});

const get = (args: readonly string[], options = {}) =>
  sallyport(['get', ...args], { env: AS_ALICE, ...options });
const lines = (text: Buffer | string) => text.toString().trim().split('\n');
const objects = (text: Buffer) => lines(text).map((line) => JSON.parse(line));

describe('several addresses', () => {
  it('become files in a folder, over one connection that is signed on once', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const urls = [10, 20, 30].map((length) => `${origin.url}/bytes/${length}`);
    const { code, stdout } = await get([
      '--json',
      '--proxy',
      proxy.url,
      '-o',
      `${folder}/`,
      ...urls,
    ]);
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['10', '20', '30']);
    expect(readFileSync(join(folder, '30')).equals(originBytes(30))).toBe(true);
    expect(proxy.counts().connections).toBe(1);
    expect(proxy.counts().finalLegs['CORP\\alice']).toBe(1);
    expect(objects(stdout)).toMatchObject(
      urls.map((url, at) => ({
        ok: true,
        url,
        legs: at === 0 ? 3 : 1,
        connections: at === 0 ? 1 : 0,
      })),
    );
  });

  it('come through tunnels as well', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using secure = await createOrigin({ tls: CERTIFICATES });
    const urls = [`${secure.url}/bytes/10`, `${origin.url}/bytes/20`];
    const { code } = await get(['--proxy', proxy.url, '-o', folder, ...urls]);
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['10', '20']);
  });

  it('go to the folder one is in, without -o', async () => {
    const urls = [`${origin.url}/bytes/10`, `${origin.url}/bytes/20`];
    const { code, stdout } = await get(['--proxy', 'direct', ...urls], { cwd: folder });
    expect([code, stdout.length]).toEqual([0, 0]);
    expect(readdirSync(folder).sort()).toEqual(['10', '20']);
  });

  it('are all tried; the first failure is the exit code', async () => {
    const urls = [`/status/404`, '/bytes/10', '/truncated/20', '/bytes/30'].map(
      (path) => `${origin.url}${path}`,
    );
    const args = ['--proxy', 'direct', '--json', '-o', `${folder}/`, ...urls];
    const { code, stdout, stderr } = await get(args);
    expect(code).toBe(7);
    expect(objects(stdout).map(({ ok, url, error }) => [ok, url, error?.code])).toEqual([
      [false, urls[0], 'HTTP_STATUS'],
      [true, urls[1], undefined],
      [false, urls[2], 'BODY_INCOMPLETE'],
      [true, urls[3], undefined],
    ]);
    expect(lines(stderr)).toEqual([
      expect.stringMatching(`^sallyport: ${urls[0]}: .* answered 404`),
      expect.stringMatching(`^sallyport: ${urls[2]}: .* after 10 bytes`),
    ]);
    expect(readdirSync(folder).sort()).toEqual(['10', '20.part', '20.part.json', '30']);
  });

  it('with refused credentials cost one logon', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const urls = [`${origin.url}/bytes/10`, `${origin.url}/bytes/20`];
    const { code, stderr } = await get(['--proxy', proxy.url, '-o', `${folder}/`, ...urls], {
      env: { ...AS_ALICE, SALLYPORT_PASSWORD: 'Wrong-Secret9' },
    });
    expect(code).toBe(4);
    expect(lines(stderr)).toHaveLength(2);
    expect(proxy.counts().finalLegs['CORP\\alice']).toBe(1);
  });

  it('are continued by the same command: what is complete is left, the others go on', async () => {
    await using server = await createFileServer(originBytes(1000));
    server.cuts.push(1000, 400, 0);
    const urls = ['a', 'b', 'c'].map((name) => `${server.url}/${name}.bin`);
    const args = ['--json', '--proxy', 'direct', '-o', `${folder}/`, ...urls];
    expect((await get(args)).code).toBe(8);
    server.requests.splice(0);
    const { code, stdout, stderr } = await get(['--continue', ...args]);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/a\.bin is there already, left as it is \(not checked\)\.$/m),
    ]);
    expect(objects(stdout)).toMatchObject([
      { ok: true, url: urls[0], skipped: true, bytes: 1000, tries: 0 },
      { ok: true, url: urls[1], bytes: 1000, continuedAt: 400 },
      { ok: true, url: urls[2], bytes: 1000, continuedAt: 0 },
    ]);
    expect(server.requests.map(({ url, headers }) => [url, headers.range])).toEqual([
      ['/b.bin', 'bytes=400-'],
      ['/c.bin', undefined],
    ]);
    for (const name of ['a.bin', 'b.bin', 'c.bin']) {
      expect(readFileSync(join(folder, name)).equals(originBytes(1000))).toBe(true);
    }
  });

  it('are not begun after Ctrl-C', async () => {
    await using stuck = await createRawServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'));
    });
    let end = (_signal: NodeJS.Signals): unknown => undefined;
    const urls = [`${stuck.url}/first`, `${origin.url}/bytes/10`];
    const stopped = get(['--json', '--proxy', 'direct', '-o', `${folder}/`, ...urls], {
      onStart: (kill: typeof end) => {
        end = kill;
      },
    });
    const part = join(folder, 'first.part');
    await expect
      .poll(() => existsSync(part) && readFileSync(part).length, { timeout: 10_000 })
      .toBe(3);
    end('SIGINT');
    const { code, stdout, stderr } = await stopped;
    expect(code).toBe(130);
    expect(objects(stdout)).toMatchObject([
      { ok: false, url: urls[0], error: { code: 'INTERRUPTED' } },
      { ok: false, url: urls[1], error: { code: 'INTERRUPTED', message: 'Not begun' } },
    ]);
    expect(lines(stderr)).toEqual([
      expect.stringMatching(/: Stopped after 3 B\./),
      `sallyport: Not begun: ${urls[1]}`,
    ]);
    expect(readdirSync(folder).sort()).toEqual(['first.part', 'first.part.json']);
  });

  it('are all told of when the time is over', async () => {
    await using stuck = await createRawServer(() => undefined);
    const urls = [`${stuck.url}/first`, `${origin.url}/bytes/10`];
    const args = ['--json', '--max-time', '1', '--proxy', 'direct', '-o', `${folder}/`, ...urls];
    const { code, stdout } = await get(args);
    expect(code).toBe(6);
    expect(objects(stdout).map(({ error }) => error.code)).toEqual(['TIMEOUT', 'TIMEOUT']);
  });
});

describe('one address and a folder', () => {
  it('becomes a file named by its end, decoded', async () => {
    await using server = await createFileServer(originBytes(5));
    const args = ['--proxy', 'direct', '-o', `${folder}/`, `${server.url}/a/b%20%C3%BC.zip?x=/y`];
    expect((await get(args)).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['b ü.zip']);
  });

  it('is never led out of it', async () => {
    await using server = await createFileServer(originBytes(5));
    const args = ['--proxy', 'direct', '-o', `${folder}/`, `${server.url}/..%2F..%2Fout.bin`];
    expect((await get(args)).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['..%2F..%2Fout.bin']);
  });

  it('keeps its name through redirects', async () => {
    await using server = await createFileServer(originBytes(5));
    server.instead.push(status(302, { location: '/.bashrc' }));
    expect((await get(['--proxy', 'direct', '-o', `${folder}/`, `${server.url}/x.zip`])).code).toBe(
      0,
    );
    expect(readdirSync(folder)).toEqual(['x.zip']);
  });
});

describe('several addresses are refused before the first byte', () => {
  const REFUSED: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    [
      'with one name',
      () => ['http://a.x/1.zip', 'http://b.x/1.zip'],
      /http:\/\/a\.x\/1\.zip and http:\/\/b\.x\/1\.zip would both be .*1\.zip/,
    ],
    [
      'that only their queries tell apart',
      () => ['http://a.x/1.zip?v=1', 'http://a.x/1.zip?v=2'],
      /http:\/\/a\.x\/1\.zip\?v=1 and http:\/\/a\.x\/1\.zip\?v=2 would both be/,
    ],
    [
      'where one is the part of another',
      () => ['http://a.x/1', 'http://b.x/1.part'],
      /would both be/,
    ],
    [
      'where one has no file name',
      () => ['http://a.x/1.zip', 'http://b.x/dir/'],
      /http:\/\/b\.x\/dir\/ does not end with a file name/,
    ],
    [
      'with -o -',
      () => ['-o', '-', 'http://a.x/1', 'http://b.x/2'],
      /cannot share standard output/,
    ],
    [
      'with -o and a file',
      () => ['-o', '/etc/hostname', 'http://a.x/1', 'http://b.x/2'],
      /-o names one file/,
    ],
    [
      'with -o and nothing',
      () => ['-o', join(folder, 'new'), 'http://a.x/1', 'http://b.x/2'],
      /folder that is there/,
    ],
    [
      'with a file that is called a folder',
      () => ['-o', '/etc/hostname/', 'http://a.x/1', 'http://b.x/2'],
      /\/etc\/hostname\/ is no folder/,
    ],
    [
      'with a digest',
      () => ['--sha256', '0'.repeat(64), 'http://a.x/1', 'http://b.x/2'],
      /digest of one download/,
    ],
    [
      'with an upload',
      () => ['-T', '/etc/hostname', 'http://a.x/1', 'http://b.x/2'],
      /sends a file to one address/,
    ],
    [
      'where the second is no address',
      () => ['http://a.x/1', 'file.zip'],
      /"file\.zip" is not a URL/,
    ],
  ];

  it.each(REFUSED)('%s', async (_what, args, says) => {
    await using server = await createRawServer(() => undefined);
    const { code, stderr } = await get(['--proxy', server.url, ...args()], { cwd: folder });
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
    expect(lines(stderr)).toHaveLength(1);
    expect(server.connections()).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('where a link makes two names one file', async () => {
    writeFileSync(join(folder, 'real'), '');
    symlinkSync('real', join(folder, 'link'));
    const { code, stderr } = await get(['http://a.x/real', 'http://a.x/link'], { cwd: folder });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/would both be/)]);
  });

  it('into a folder that is not there', async () => {
    const { code, stderr } = await get(['-o', `${folder}/new/`, 'http://a.x/1', 'http://a.x/2']);
    expect([code, stderr]).toEqual([9, expect.stringMatching(/its directory does not exist/)]);
  });
});
