// `sallyport get --sha256`: a file that is another one does not get its name.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy } from '../../src/testing/index.ts';
import { createCorporateProxy, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { createFileServer } from './file-server.ts';
import { ALICE, AS_ALICE, ownFolder } from './network.ts';

const BODY = originBytes(3_000_000);
const RIGHT = createHash('sha256').update(BODY).digest('hex');
const WRONG = '0'.repeat(64);

let proxy: CorporateProxy;
let file: string;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
});

afterAll(() => proxy.close());

beforeEach(() => {
  file = join(ownFolder('digest'), 'out.bin');
});

const get = (args: readonly string[]) =>
  sallyport(['get', '--proxy', proxy.url, ...args], { env: AS_ALICE });
const inFolder = () => readdirSync(join(file, '..')).sort();

describe('--sha256', () => {
  it.each([
    ['forwarded', false],
    ['through a tunnel', true],
  ])('lets the right file pass, %s', async (_way, tls) => {
    await using server = await createFileServer(BODY, { tls });
    const args = ['--json', '--sha256', RIGHT.toUpperCase(), '-o', file, `${server.url}/x`];
    const { code, stdout } = await get(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({ ok: true, sha256: RIGHT });
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(inFolder()).toEqual(['out.bin']);
  });

  it('gives another file no name, and leaves an older one as it is', async () => {
    await using server = await createFileServer(BODY);
    writeFileSync(file, 'older');
    const { code, stdout, stderr } = await get([
      ...['--json', '--sha256', WRONG, '-o', file, `${server.url}/x`],
    ]);
    expect(code).toBe(8);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: false,
      output: file,
      error: { code: 'DIGEST_MISMATCH', message: expect.stringContaining(RIGHT) },
    });
    expect(stderr).toContain(`out.bin is as it was. What has arrived is in ${file}.part`);
    expect(readFileSync(file, 'utf8')).toBe('older');
    expect(inFolder()).toEqual(['out.bin', 'out.bin.part']);
  });

  it('is counted into the JSON unasked', async () => {
    await using server = await createFileServer(BODY);
    const { stdout } = await get(['--json', '-o', file, `${server.url}/x`]);
    expect(JSON.parse(stdout.toString())).toMatchObject({ sha256: RIGHT });
  });

  it('of standard output is told by the exit code', async () => {
    await using server = await createFileServer(BODY);
    const right = await get(['--sha256', RIGHT, `${server.url}/x`]);
    expect([right.code, right.stdout.equals(BODY)]).toEqual([0, true]);
    const wrong = await get(['--sha256', WRONG, '-o', '-', `${server.url}/x`]);
    expect([wrong.code, wrong.stdout.equals(BODY)]).toEqual([8, true]);
    expect(wrong.stderr).toContain('What has gone out is not to be used');
  });

  it('counts what was there before a continuation', async () => {
    await using server = await createFileServer(BODY);
    server.cuts.push(2_000_000);
    expect((await get(['-o', file, `${server.url}/x`])).code).toBe(8);
    const args = ['--continue', '--sha256', RIGHT, '-o', file, `${server.url}/x`];
    expect((await get(args)).code).toBe(0);
    expect(server.requests.at(-1)?.headers.range).toBe('bytes=2000000-');
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('finds a part that was changed, and the next one begins again', async () => {
    await using server = await createFileServer(BODY);
    server.cuts.push(2_000_000);
    await get(['-o', file, `${server.url}/x`]);
    const part = readFileSync(`${file}.part`);
    part[1_000_000] = (part[1_000_000] ?? 0) ^ 1;
    writeFileSync(`${file}.part`, part);
    const args = ['--continue', '--sha256', RIGHT, '-o', file, `${server.url}/x`];
    const { code, stderr } = await get(args);
    expect([code, existsSync(file)]).toEqual([8, false]);
    expect(stderr).toMatch(/is in .*\.part, and is not continued/);
    expect((await get(args)).code).toBe(0);
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=2000000-',
      undefined,
    ]);
  });

  it('counts anew what is begun again', async () => {
    await using server = await createFileServer(BODY);
    server.cuts.push(2_000_000);
    await get(['-o', file, `${server.url}/x`]);
    server.validators = { etag: '"v2"' };
    const args = ['--continue', '--sha256', RIGHT, '-o', file, `${server.url}/x`];
    expect((await get(args)).code).toBe(0);
  });

  it('with --continue asks nobody where the file is there and right', async () => {
    await using server = await createFileServer(BODY);
    writeFileSync(file, BODY);
    const { code, stdout } = await get([
      ...['--json', '--continue', '--sha256', RIGHT, '-o', file, `${server.url}/x`],
    ]);
    expect([code, server.requests]).toEqual([0, []]);
    expect(JSON.parse(stdout.toString())).toMatchObject({ ok: true, sha256: RIGHT, tries: 0 });
  });

  it('with --continue replaces a file that is there and wrong', async () => {
    await using server = await createFileServer(BODY);
    writeFileSync(file, 'older');
    const args = ['--continue', '--sha256', RIGHT, '-o', file, `${server.url}/x`];
    expect((await get(args)).code).toBe(0);
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it.each([['short'], [`${'0'.repeat(63)}g`], [`sha256:${'0'.repeat(64)}`], ['']])(
    '%j is refused',
    async (digest) => {
      const { code, stderr } = await get(['--sha256', digest, 'http://127.0.0.1:1/x']);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/64 hexadecimal digits.*sha256sum/),
      ]);
    },
  );
});
