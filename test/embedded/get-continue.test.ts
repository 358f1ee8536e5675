// `sallyport get --continue`: a download goes on where it stopped, and is never made of two versions.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy } from '../../src/testing/index.ts';
import { createCorporateProxy, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import type { Answer, FileServer } from './file-server.ts';
import { createFileServer, page, status } from './file-server.ts';
import { ALICE, AS_ALICE, ownFolder } from './network.ts';
import { createRawServer } from './raw-server.ts';

const BODY = originBytes(1000);
/** Of the same length, and other in each byte. */
const OTHER = Buffer.from(BODY.map((byte) => byte ^ 0xff));
const YESTERDAY = new Date(Date.now() - 86_400_000).toUTCString();

let proxy: CorporateProxy;
let file: string;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
});

afterAll(() => proxy.close());

beforeEach(() => {
  file = join(ownFolder('continue'), 'out.bin');
});

const get = (args: readonly string[], options = {}) =>
  sallyport(['get', '--proxy', proxy.url, ...args], { env: AS_ALICE, ...options });
const continued = (server: FileServer, path = '/out.bin') =>
  get(['-v', '--continue', '-o', file, `${server.url}${path}`]);
const inFolder = () => readdirSync(join(file, '..')).sort();
const ranges = ({ requests }: FileServer) => requests.map(({ headers }) => headers.range);

/** The first 400 bytes have arrived. */
async function stopped(server: FileServer, path = '/out.bin'): Promise<void> {
  server.cuts.push(400);
  const { code } = await get(['-o', file, `${server.url}${path}`]);
  expect(code).toBe(8);
  expect(readFileSync(`${file}.part`)).toHaveLength(400);
  server.requests.splice(0);
}

describe('--continue', () => {
  it.each([
    ['forwarded', false],
    ['through a tunnel', true],
  ])('goes on where the download stopped, %s', async (_way, tls) => {
    await using server = await createFileServer(BODY, { tls });
    await stopped(server);
    const args = ['--continue', '--json', '-o', file, `${server.url}/out.bin`];
    const { code, stdout } = await get(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ...{ ok: true, status: 206, bytes: 1000, continuedAt: 400, scheme: 'NTLM' },
    });
    expect(server.requests.at(-1)?.headers).toMatchObject({
      range: 'bytes=400-',
      'if-range': '"v1"',
    });
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(inFolder()).toEqual(['out.bin']);
  });

  it('is told by the command that was stopped', async () => {
    await using server = await createFileServer(BODY);
    server.cuts.push(400);
    const { stderr } = await get(['-o', file, `${server.url}/out.bin`]);
    expect(stderr).toMatch(
      /after 400 bytes\. What has arrived is in .*\.part: --continue goes on there\.$/m,
    );
  });

  it('goes on by Last-Modified where there is no ETag', async () => {
    await using server = await createFileServer(BODY, {
      validators: { 'last-modified': YESTERDAY },
    });
    await stopped(server);
    expect((await continued(server)).code).toBe(0);
    expect(server.requests.at(-1)?.headers).toMatchObject({ 'if-range': YESTERDAY });
    expect(ranges(server)).toEqual(['bytes=400-']);
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('downloads from the beginning where nothing is there', async () => {
    await using server = await createFileServer(BODY);
    expect((await continued(server)).code).toBe(0);
    expect(ranges(server)).toEqual([undefined]);
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('replaces an older file when the part is complete, and not before', async () => {
    await using server = await createFileServer(BODY);
    writeFileSync(file, 'older');
    await stopped(server);
    server.cuts.push(100);
    expect((await continued(server)).code).toBe(8);
    expect(readFileSync(file, 'utf8')).toBe('older');
    expect((await continued(server)).code).toBe(0);
    expect(ranges(server)).toEqual(['bytes=400-', 'bytes=500-']);
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('is done when the part has all of it', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server);
    writeFileSync(`${file}.part`, BODY);
    const { code } = await continued(server);
    expect([code, ranges(server)]).toEqual([0, ['bytes=1000-']]);
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(inFolder()).toEqual(['out.bin']);
  });
});

describe('--continue begins again', () => {
  const part = (range: string, headers = {}): Answer =>
    page(206, { etag: '"v1"', 'content-range': range, ...headers }, 'x'.repeat(600));

  interface Row {
    readonly what: string;
    /** What happens to the server, and to the part, in between. */
    readonly between: (server: FileServer) => void;
    readonly validators?: Record<string, string>;
    readonly path?: string;
    /** The Range of each request. */
    readonly asks: readonly (string | undefined)[];
    readonly says: RegExp;
  }
  const TABLE: readonly Row[] = [
    {
      what: 'when the file was changed',
      between: (server) => {
        server.validators = { etag: '"v2"' };
      },
      asks: ['bytes=400-'],
      says: /it has changed, or the server cannot send a part of it/,
    },
    {
      what: 'when the file was changed and the server sends a part of the new one',
      between: (server) => {
        server.validators = { etag: '"v2"' };
        server.ignoresIfRange = true;
      },
      asks: ['bytes=400-', undefined],
      says: /begun again: it has changed/,
    },
    {
      what: 'when a part does not say of which version it is',
      between: (server) => {
        server.validators = {};
        server.ignoresIfRange = true;
      },
      asks: ['bytes=400-', undefined],
      says: /begun again: it has changed/,
    },
    {
      what: 'when the date of a part is another',
      validators: { 'last-modified': YESTERDAY },
      between: (server) => {
        server.validators = { 'last-modified': new Date(Date.now() - 3_600_000).toUTCString() };
        server.ignoresIfRange = true;
      },
      asks: ['bytes=400-', undefined],
      says: /begun again: it has changed/,
    },
    {
      what: 'when the server sends the whole file anyway',
      between: (server) => server.instead.push((_request, response) => response.end(OTHER)),
      asks: ['bytes=400-'],
      says: /the server cannot send a part of it/,
    },
    ...[
      ['a part from elsewhere', 'bytes 300-899/1000', /another part than the one that is missing/],
      ['a part of the rest', 'bytes 400-899/1000', /another part than the one that is missing/],
      ['a part of something longer', 'bytes 400-1999/2000', /its length has changed/],
      ['a part of something endless', 'bytes 400-999/*', /does not say which part it sends/],
      ['a part in another unit', 'lines 400-999/1000', /does not say which part it sends/],
    ].map(([what, range, says]) => ({
      what: `when the server sends ${what}`,
      between: (server: FileServer) => server.instead.push(part(String(range))),
      asks: ['bytes=400-', undefined],
      says: says as RegExp,
    })),
    {
      what: 'when the server sends several parts',
      between: (server) =>
        server.instead.push(page(206, { 'content-type': 'multipart/byteranges' }, '--x')),
      asks: ['bytes=400-', undefined],
      says: /does not say which part it sends/,
    },
    {
      what: 'when the server has become shorter than the part',
      between: (server) => server.instead.push(status(416, { 'content-range': 'bytes */300' })),
      asks: ['bytes=400-', undefined],
      says: /no bytes behind those that are there/,
    },
    {
      what: 'when a 416 does not tell the length',
      between: (server) => server.instead.push(status(416)),
      asks: ['bytes=400-', undefined],
      says: /no bytes behind those that are there/,
    },
    {
      what: 'when the part is longer than the file was',
      between: () => writeFileSync(`${file}.part`, originBytes(1001)),
      asks: [undefined],
      says: /longer than what it is the beginning of/,
    },
    {
      what: 'for another address',
      path: '/other.bin',
      between: () => undefined,
      asks: [undefined],
      says: /it is of another address/,
    },
    {
      what: 'for another query',
      path: '/out.bin?version=2',
      between: () => undefined,
      asks: [undefined],
      says: /it is of another address/,
    },
    ...[
      ['a weak ETag', { etag: 'W/"v1"' }],
      ['a weak ETag and a date', { etag: 'W/"v1"', 'last-modified': YESTERDAY }],
      ['a malformed ETag', { etag: 'v1' }],
      ['a date that is none', { 'last-modified': '2024-01-01' }],
      ['nothing to recognise it by', {}],
    ].map(([what, validators]) => ({
      what: `with ${what}`,
      validators: validators as Record<string, string>,
      between: () => undefined,
      asks: [undefined],
      says: /gave no strong ETag, and no Last-Modified in its place/,
    })),
    {
      what: 'when nobody wrote down what the part is of',
      between: () => writeFileSync(`${file}.part.json`, ''),
      asks: [undefined],
      says: /nobody wrote down what it is the beginning of/,
    },
    ...[
      ['no JSON', (text: string) => text.slice(0, -10)],
      ['of another version', (text: string) => text.replace('"version":1', '"version":2')],
      ['too long', (text: string) => text + ' '.repeat(5000)],
      [
        'with a header smuggled in',
        (text: string) => text.replace('\\"v1\\"', '\\"v1\\"\\r\\nX: y'),
      ],
      ['with a weak ETag', (text: string) => text.replace('"\\"v1\\""', '"W/\\"v1\\""')],
      [
        'with a date that is none',
        (text: string) => text.replace('"lastModified":null', '"lastModified":"x\\r\\ny"'),
      ],
      [
        'with a length that is none',
        (text: string) => text.replace('"total":1000', '"total":"1000"'),
      ],
      ['with a negative length', (text: string) => text.replace('"total":1000', '"total":-1')],
    ].map(([what, change]) => ({
      what: `when what was written down is ${what}`,
      between: () => {
        const path = `${file}.part.json`;
        const before = readFileSync(path, 'utf8');
        const after = (change as (text: string) => string)(before);
        expect(after).not.toBe(before);
        writeFileSync(path, after);
      },
      asks: [undefined],
      says: /nobody wrote down what it is the beginning of/,
    })),
  ];

  it.each(TABLE)('$what', async ({ between, validators = { etag: '"v1"' }, path, asks, says }) => {
    await using server = await createFileServer(BODY, { validators });
    await stopped(server);
    // Whatever is served from now on: no byte of the old version may be in the file.
    server.body = OTHER;
    between(server);
    const { code, stderr } = await continued(server, path);
    expect(code).toBe(0);
    expect(stderr).toMatch(says);
    expect(ranges(server)).toEqual(asks);
    expect(readFileSync(file).equals(OTHER)).toBe(true);
    expect(inFolder()).toEqual(['out.bin']);
  });

  it('with a date just before the answer', async () => {
    // Counted from now: a table is made long before its last row runs on a busy machine.
    const validators = { 'last-modified': new Date(Date.now() - 1000).toUTCString() };
    await using server = await createFileServer(BODY, { validators });
    await stopped(server);
    server.body = OTHER;
    const { code, stderr } = await continued(server);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/gave no strong ETag, and no Last-Modified in its place/),
    ]);
    expect(ranges(server)).toEqual([undefined]);
    expect(readFileSync(file).equals(OTHER)).toBe(true);
    expect(inFolder()).toEqual(['out.bin']);
  });

  it('when redirects lead elsewhere now', async () => {
    await using server = await createFileServer(BODY);
    const to = (path: string): Answer => status(302, { location: path });
    server.instead.push(to('/mirror-1/out.bin?signed=1'));
    await stopped(server);
    server.body = OTHER;
    server.instead.push(to('/mirror-2/out.bin?signed=2'));
    server.instead.push((_request, response) =>
      page(
        206,
        { etag: '"v1"', 'content-range': 'bytes 400-999/1000' },
        'x'.repeat(600),
      )({} as never, response),
    );
    const { code, stderr } = await continued(server);
    expect([code, stderr]).toEqual([0, expect.stringContaining('it comes from another place now')]);
    expect(readFileSync(file).equals(OTHER)).toBe(true);
  });

  it('not when only the signature of a redirect has changed', async () => {
    await using server = await createFileServer(BODY);
    const to = (path: string): Answer => status(302, { location: path });
    server.instead.push(to('/mirror-1/out.bin?signed=1'));
    await stopped(server);
    server.instead.push(to('/mirror-1/out.bin?signed=2'));
    expect((await continued(server)).code).toBe(0);
    expect(ranges(server)).toEqual(['bytes=400-', 'bytes=400-']);
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('when another language is asked for', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server);
    const args = ['-v', '--continue', '-H', 'Accept-Language: de', '-o', file];
    const { stderr } = await get([...args, `${server.url}/out.bin`]);
    expect(stderr).toContain('it is of another address');
    expect(ranges(server)).toEqual([undefined]);
  });

  it('where what was written down lies behind a link', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server);
    const record = `${file}.part.json`;
    const text = readFileSync(record);
    const elsewhere = join(ownFolder('record'), 'record.json');
    writeFileSync(elsewhere, text);
    rmSync(record);
    symlinkSync(elsewhere, record);
    expect((await continued(server)).stderr).toContain('nobody wrote down');
    expect(readFileSync(elsewhere).equals(text)).toBe(true);
  });
});

describe('what bears the names beside the part and is not ours', () => {
  it.each(['{"mine":1}\n', '[]', 'null', '{"version":1,"mine":true}', 'x'.repeat(5000)])(
    'is no record, and is left as it is: %.30s',
    async (text) => {
      await using server = await createFileServer(BODY);
      writeFileSync(`${file}.part`, 'x');
      writeFileSync(`${file}.part.json`, text);
      const { code, stderr } = await continued(server);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/nobody wrote down/)]);
      expect(inFolder()).toEqual(['out.bin', 'out.bin.part.json']);
      expect(readFileSync(`${file}.part.json`, 'utf8')).toBe(text);
    },
  );

  it.each(['my notes', '{"pid":"x"}'])('is no lock, and is refused: %s', async (text) => {
    await using server = await createFileServer(BODY);
    const lock = `${file}.part.lock`;
    writeFileSync(lock, text);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(lock, longAgo, longAgo);
    const { code, stderr } = await get(['-o', file, `${server.url}/out.bin`]);
    expect([code, stderr]).toEqual([9, expect.stringMatching(/is no lock of Sallyport\. Look at/)]);
    expect(readFileSync(lock, 'utf8')).toBe(text);
    expect(server.requests).toEqual([]);
  });

  it('is a lock without a mark when it is empty and old: whoever made it died', async () => {
    await using server = await createFileServer(BODY);
    const lock = `${file}.part.lock`;
    writeFileSync(lock, '');
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(lock, longAgo, longAgo);
    expect(await get(['-o', file, `${server.url}/out.bin`])).toMatchObject({ code: 0 });
    expect(inFolder()).toEqual(['out.bin']);
  });
});

describe('--continue and the part', () => {
  it('keeps the part through an error status', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server);
    server.instead.push(status(403));
    expect((await continued(server)).code).toBe(7);
    expect(inFolder()).toEqual(['out.bin.part', 'out.bin.part.json']);
    expect((await continued(server)).code).toBe(0);
    expect(ranges(server)).toEqual(['bytes=400-', 'bytes=400-']);
  });

  it('does not write what another command writes', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server);
    await using silent = await createRawServer(() => undefined);
    let end = (_signal: NodeJS.Signals): unknown => undefined;
    const first = get(['--continue', '-o', file, `${silent.url}/out.bin`], {
      onStart: (kill: typeof end) => {
        end = kill;
      },
    });
    await expect.poll(() => existsSync(`${file}.part.lock`), { timeout: 10_000 }).toBe(true);
    const second = await continued(server);
    expect(second).toMatchObject({ code: 9, stderr: expect.stringMatching(/another command/) });
    end('SIGINT');
    expect((await first).code).toBe(130);
    expect(inFolder()).toEqual(['out.bin.part', 'out.bin.part.json']);
    expect(readFileSync(`${file}.part`).equals(BODY.subarray(0, 400))).toBe(true);
  });

  it('without it, a download begins at the beginning', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server);
    expect((await get(['-o', file, `${server.url}/out.bin`])).code).toBe(0);
    expect(ranges(server)).toEqual([undefined]);
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('tells nothing of the address in what it writes down', async () => {
    await using server = await createFileServer(BODY);
    await stopped(server, '/secret-path?token=Url-Secret7');
    expect(readFileSync(`${file}.part.json`, 'utf8')).not.toMatch(/secret/i);
  });
});

describe('a part that nobody asked for', () => {
  const unasked = page(206, { 'content-range': 'bytes 0-4/1000' }, 'hello');

  it.each([
    ['begins a file', []],
    ['goes on', ['--continue']],
  ])('is no file, where a download %s', async (_what, args) => {
    await using server = await createFileServer(BODY);
    writeFileSync(file, 'older');
    if (args.length > 0) {
      await stopped(server);
      server.instead.push(unasked);
    }
    server.instead.push(unasked);
    const { code, stderr } = await get([...args, '-o', file, `${server.url}/out.bin`]);
    expect([code, stderr]).toEqual([
      6,
      expect.stringMatching(/sent a part \(206\), and all of it was asked for/),
    ]);
    expect(readFileSync(file, 'utf8')).toBe('older');
  });

  it('is what it is for who asks by a header of their own', async () => {
    await using server = await createFileServer(BODY);
    const { code } = await get(['-H', 'Range: bytes=900-', '-o', file, `${server.url}/x`]);
    expect(code).toBe(0);
    expect(readFileSync(file).equals(BODY.subarray(900))).toBe(true);
  });
});

describe('--continue refuses', () => {
  it.each([
    ['standard output', [], /none is named.*-o/],
    ['-o -', ['-o', '-'], /-o - is none/],
    ['a device', ['-o', '/dev/null'], /\/dev\/null is none/],
    ['a header of its own', ['-o', '/tmp/x', '-H', 'range: bytes=1-'], /sets range itself/],
    ['another method', ['-o', '/tmp/x', '-X', 'POST'], /not for POST/],
    ['an upload', ['-o', '/tmp/x', '-T', '/etc/hostname'], /is for downloads/],
  ])('%s', async (_what, args, says) => {
    const { code, stderr } = await get(['--continue', ...args, 'http://127.0.0.1:1/x']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('a file that is there and complete, which it leaves alone', async () => {
    await using server = await createFileServer(BODY);
    writeFileSync(file, 'complete');
    const { code, stderr } = await continued(server);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/is there already, and no part of it to go on with/),
    ]);
    expect(readFileSync(file, 'utf8')).toBe('complete');
    expect(server.requests).toEqual([]);
  });

  it('a part that is a directory', async () => {
    await using server = await createFileServer(BODY);
    mkdirSync(`${file}.part`);
    expect(await continued(server)).toMatchObject({
      code: 9,
      stderr: expect.stringMatching(/out\.bin\.part is a directory\. Look at it/),
    });
  });
});
