// `sallyport get -T`: a file goes to a server as it is, as often as a sign-on needs it, or not at all.

import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { createFileServer, status } from './file-server.ts';
import { ALICE, AS_ALICE, CERTIFICATES, ownFolder } from './network.ts';
import { createRawServer } from './raw-server.ts';

/** Of the system's making: one page, it says. */
const SHORTER = '/sys/kernel/mm/transparent_hugepage/enabled';
const BODY = originBytes(3_000_000);
const ARRIVED = { sha256: createHash('sha256').update(BODY).digest('hex'), length: BODY.length };

let proxy: CorporateProxy;
let origin: Origin;
let secureOrigin: Origin;
let folder: string;
let file: string;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  origin = await createOrigin();
  secureOrigin = await createOrigin({ tls: CERTIFICATES });
});

afterAll(() => Promise.all([proxy.close(), origin.close(), secureOrigin.close()]));

beforeEach(() => {
  folder = ownFolder('upload');
  file = join(folder, 'sent.bin');
  writeFileSync(file, BODY);
});

const get = (args: readonly string[], options = {}) =>
  sallyport(['get', '--proxy', proxy.url, ...args], { env: AS_ALICE, ...options });

/** In its place, and of the same length. */
function overwrite(path: string): void {
  const at = openSync(path, 'r+');
  writeSync(at, 'other');
  closeSync(at);
}

describe('-T', () => {
  it.each([
    ['forwarded', () => origin],
    ['through a tunnel', () => secureOrigin],
  ])('sends a file by PUT, %s, and prints the answer', async (_way, to) => {
    const { code, stdout, stderr } = await get(['-T', file, `${to().url}/echo-sha256`]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout.toString())).toEqual(ARRIVED);
    expect(to().log.at(-1)?.method).toBe('PUT');
  });

  it.each([
    ['forwarded', () => origin],
    ['through a tunnel', () => secureOrigin],
  ])('sends standard input in chunks, %s', async (_way, to) => {
    const { code, stdout } = await get(['-T', '-', `${to().url}/echo-sha256`], { input: BODY });
    expect([code, JSON.parse(stdout.toString())]).toEqual([0, ARRIVED]);
  });

  it('sends a pipe and an empty file', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const sending = get(['-T', pipe, `${origin.url}/echo-sha256`]);
    // By another process: opening a pipe waits for its reader.
    execFile('sh', ['-c', 'printf "by a pipe" > "$0"', pipe]);
    expect(JSON.parse((await sending).stdout.toString())).toMatchObject({ length: 9 });
    writeFileSync(file, '');
    const { stdout } = await get(['-T', file, `${secureOrigin.url}/echo-sha256`]);
    expect(JSON.parse(stdout.toString())).toMatchObject({ length: 0 });
  });

  it.skipIf(!existsSync('/proc/cpuinfo'))(
    'sends a file that says it is empty and is not, as often as it is asked for',
    async () => {
      const args = ['-T', '/proc/version', `${secureOrigin.url}/echo-sha256`];
      const { stdout } = await get(args);
      const length = readFileSync('/proc/version').length;
      expect(JSON.parse(stdout.toString())).toMatchObject({ length });
      await using server = await createFileServer(Buffer.from('thanks'));
      server.instead.push(status(503, { 'retry-after': '0' }));
      const again = await get(['--retry', '1', '-T', '/proc/version', `${server.url}/x`]);
      expect([again.code, again.stdout.toString()]).toEqual([0, 'thanks']);
      expect(server.requests.at(-1)?.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    },
  );

  it.skipIf(!existsSync(SHORTER))('ends at a file that is shorter than it says', async () => {
    const { code, stderr } = await get([
      ...['--max-time', '10', '-T', SHORTER, `${origin.url}/echo-sha256`],
    ]);
    expect([code, stderr]).toEqual([8, expect.stringMatching(/went from 4096 to \d+ bytes/)]);
  });

  it('saves the answer with -o and sums up in JSON', async () => {
    const answer = join(folder, 'answer.json');
    const args = ['--json', '-X', 'post', '-o', answer, '-T', file, `${origin.url}/echo-sha256`];
    const { code, stdout } = await get(args);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(answer, 'utf8'))).toEqual(ARRIVED);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: true,
      sent: 3_000_000,
      output: answer,
    });
    expect(origin.log.at(-1)?.method).toBe('POST');
  });

  it('announces the length of a file', async () => {
    await using server = await createFileServer(Buffer.from('thanks'));
    await get(['-T', file, `${server.url}/x`]);
    expect(server.requests.at(-1)?.headers).toMatchObject({ 'content-length': '3000000' });
  });

  it.each([307, 308, 301])('sends a file to where a %d leads', async (code) => {
    await using server = await createFileServer(Buffer.from(''));
    server.instead.push(status(code, { location: `${origin.url}/echo-sha256` }));
    const { stdout } = await get(['-T', file, `${server.url}/x`]);
    expect(JSON.parse(stdout.toString())).toEqual(ARRIVED);
  });

  it('fetches what a 303 leads to', async () => {
    await using server = await createFileServer(Buffer.from(''));
    server.instead.push(status(303, { location: `${origin.url}/headers` }));
    const { stdout } = await get(['-T', file, '-H', 'Content-Type: x/y', `${server.url}/x`]);
    expect(origin.log.at(-1)?.method).toBe('GET');
    expect(JSON.parse(stdout.toString())).not.toHaveProperty('content-type');
  });

  it('cannot send standard input on', async () => {
    await using server = await createFileServer(Buffer.from(''));
    server.instead.push(status(307, { location: `${origin.url}/echo-sha256?key=Url-Secret7` }));
    const { code, stderr } = await get(['-T', '-', `${server.url}/x`], { input: 'once' });
    expect([code, stderr]).toEqual([
      7,
      expect.stringContaining(
        `answered 307 and sends the upload on to ${origin.url}/echo-sha256?***, and it cannot be read twice`,
      ),
    ]);
  });

  it('is sent again with --retry', async () => {
    await using server = await createFileServer(Buffer.from('thanks'));
    server.instead.push(status(503, { 'retry-after': '0' }));
    const { code, stdout } = await get(['--retry', '1', '-T', file, `${server.url}/x`]);
    expect([code, stdout.toString()]).toEqual([0, 'thanks']);
    expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT']);
  });

  it('tells an error status as any other', async () => {
    expect(await get(['-T', file, `${origin.url}/status/403`])).toMatchObject({ code: 7 });
  });

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'more'), /went from \d+ to \d+ bytes/],
    ['shrinks', (path: string) => writeFileSync(path, 'less'), /went from \d+ to [04] bytes/],
    ['is rewritten', overwrite, /was changed/],
  ])('ends before a file that %s is whole', async (_what, change, says) => {
    const large = join(folder, 'large.bin');
    writeFileSync(large, Buffer.alloc(20_000_000));
    let received = 0;
    let ended = false;
    // Reads the beginning only: the command cannot be through when the file changes.
    await using server = await createRawServer((socket) => {
      socket.on('close', () => (ended = true));
      socket.on('data', (bytes) => {
        if (received === 0) {
          socket.pause();
          change(large);
          setTimeout(() => socket.resume(), 100);
        }
        received += bytes.length;
      });
    });
    const { code, stdout, stderr } = await sallyport([
      ...['get', '--json', '-o', '/dev/null', '--proxy', 'direct', '-T', large, `${server.url}/x`],
    ]);
    expect([code, stderr]).toEqual([8, expect.stringMatching(says)]);
    expect(JSON.parse(stdout.toString())).toMatchObject({ error: { code: 'UPLOAD_CHANGED' } });
    await expect.poll(() => ended).toBe(true);
    expect(received).toBeLessThan(20_000_000);
  });

  it.each([
    [() => ['-T', folder], 2, /is a directory.*pack it first/],
    [() => ['-T', join(folder, 'none')], 2, /there is no such file/],
    [() => ['-T', ''], 2, /-T is empty/],
    [() => ['-T', '-', '--password-stdin'], 2, /cannot be both password and upload/],
    [() => ['-T', file, '--sha256', '0'.repeat(64)], 2, /--sha256 is for downloads/],
    [() => ['-X', 'CONNECT'], 2, /"CONNECT" is no method for -X/],
    [() => ['-X', 'A B'], 2, /"A B" is no method for -X/],
  ] as const)('refuses what cannot be sent (%#)', async (args, exit, says) => {
    await using server = await createRawServer(() => undefined);
    const { code, stderr } = await get([...args(), `${server.url}/x`]);
    expect([code, stderr]).toEqual([exit, expect.stringMatching(says)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(server.connections()).toBe(0);
  });
});

describe('-T and -o refuse to destroy what is sent', () => {
  it.each([
    ['the file itself', 'sent.bin', ['-o', 'sent.bin'], 'sent.bin'],
    ['the file by a longer way', 'sent.bin', ['-o', '../linked/sent.bin'], 'sent.bin'],
    ['a folder where the answer would get its name', 'x', ['-o', './'], 'x'],
    ['the part of the answer', 'x.part', ['-o', 'x'], 'x.part'],
    ['what is written down beside the part', 'x.part.json', ['-o', 'x'], 'x.part.json'],
    ['the lock beside the part', 'x.part.lock', ['-o', 'x'], 'x.part.lock'],
    ['a link to it', 'link', ['-o', 'sent.bin'], 'sent.bin'],
  ])('%s', async (_what, sent, output, kept) => {
    await using server = await createRawServer(() => undefined);
    writeFileSync(join(folder, kept), 'my only copy');
    symlinkSync('sent.bin', join(folder, 'link'));
    const linked = `${basename(folder)}-linked`;
    symlinkSync(folder, join(folder, '..', linked));
    const named = output.map((word) => word.replace('linked', linked));
    const { code, stderr } = await get(['-T', sent, ...named, `${server.url}/x`], { cwd: folder });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/which is to be sent\. Name another/),
    ]);
    expect(readFileSync(join(folder, kept), 'utf8')).toBe('my only copy');
    expect(server.connections()).toBe(0);
  });
});

describe('-X', () => {
  it('asks for a head, and prints it', async () => {
    const { code, stdout, stderr } = await get(['-X', 'head', `${origin.url}/bytes/100`]);
    expect([code, stderr, origin.log.at(-1)?.method]).toEqual([0, '', 'HEAD']);
    expect(stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\n(?:[\w-]+: .*\n)*$/);
    expect(stdout.toString()).toMatch(/^content-length: 100$/im);
  });

  it.each([
    ['-o', () => ['-o', file]],
    ['--sha256', () => ['--sha256', '0'.repeat(64)]],
    ['--json', () => ['--json']],
    ['several', () => [`${origin.url}/bytes/1`]],
  ] as const)('HEAD has no body for %s: no file is touched', async (option, args) => {
    const { code, stderr } = await get(['-X', 'HEAD', ...args(), `${origin.url}/bytes/100`], {
      cwd: folder,
    });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(`${option} (?:is for a body|are given)`),
    ]);
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(readdirSync(folder)).toEqual(['sent.bin']);
  });
});
