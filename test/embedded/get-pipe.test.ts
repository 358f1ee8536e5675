// `sallyport get -o PIPE`: a reader who comes late, never, or stops reading, and what has the name of a `.part` without being one.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Origin } from '../../src/testing/index.ts';
import { createOrigin, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ownFolder, readAll } from './network.ts';

let origin: Origin;
let folder: string;

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(() => origin.close());

beforeEach(() => {
  folder = ownFolder('pipe');
});

const get = (args: readonly string[], options = {}) =>
  sallyport(['get', '--proxy', 'direct', ...args], { cwd: folder, ...options });

function makePipe(name: string): string {
  const pipe = join(folder, name);
  execFileSync('mkfifo', [pipe]);
  return pipe;
}

describe('a pipe', () => {
  it('waits for its reader, and gives it all', async () => {
    const pipe = makePipe('pipe');
    const asked = origin.log.length;
    const writing = get(['--json', '-o', 'pipe', `${origin.url}/bytes/3000000`]);
    await expect.poll(() => origin.log.length, { timeout: 10_000 }).toBe(asked + 1);
    const reader = spawn('cat', [pipe]);
    const read = await readAll(reader.stdout);
    expect(await writing).toMatchObject({ code: 0, stderr: '' });
    expect(read.equals(originBytes(3_000_000))).toBe(true);
  });

  it('without a reader is given up when the time is over', async () => {
    makePipe('pipe');
    const { code, stderr } = await get([
      ...['--max-time', '1', '-o', 'pipe', `${origin.url}/bytes/100000`],
    ]);
    expect([code, stderr]).toEqual([
      6,
      'sallyport: The 1 s of --max-time are over before the first byte.\n',
    ]);
  });

  it('without a reader is given up at Ctrl-C', async () => {
    makePipe('pipe');
    const asked = origin.log.length;
    let end = (_signal: NodeJS.Signals): unknown => undefined;
    const writing = get(['-o', 'pipe', `${origin.url}/bytes/100000`], {
      onStart: (kill: typeof end) => {
        end = kill;
      },
    });
    await expect.poll(() => origin.log.length, { timeout: 10_000 }).toBe(asked + 1);
    end('SIGINT');
    expect(await writing).toMatchObject({
      code: 130,
      stderr: 'sallyport: Stopped before the first byte.\n',
    });
  });

  it('whose reader does not read is given up when the time is over', async () => {
    const pipe = makePipe('pipe');
    const reader = execFile('sh', ['-c', 'exec sleep 60 < "$0"', pipe]);
    try {
      const { code, stderr } = await get([
        ...['--max-time', '2', '-o', 'pipe', `${origin.url}/bytes/5000000`],
      ]);
      expect([code, stderr]).toEqual([6, expect.stringMatching(/^sallyport: The 2 s .* after /)]);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    } finally {
      reader.kill();
    }
  });

  it('whose reader goes away is told', async () => {
    const pipe = makePipe('pipe');
    execFile('head', ['-c', '10', pipe]);
    const { code, stderr } = await get(['-o', 'pipe', `${origin.url}/bytes/5000000`]);
    expect([code, stderr]).toEqual([
      9,
      'sallyport: Cannot write pipe: its reader has gone. Name another file with -o.\n',
    ]);
  });

  it('by the name /dev/stdout is one, too', async () => {
    const { code, stdout } = await get(['-o', '/dev/stdout', `${origin.url}/bytes/200000`], {
      redirect: '| cat',
    });
    expect([code, stdout.equals(originBytes(200_000))]).toEqual([0, true]);
  });
});

describe('what has the name of the part', () => {
  const begin = ['-o', 'out.bin'];
  const goOn = ['--continue', ...begin];

  it.each([
    ['a pipe', begin],
    ['a pipe', goOn],
  ])('and is %s is refused before the first byte (%#)', async (_what, args) => {
    makePipe('out.bin.part');
    const asked = origin.log.length;
    const { code, stderr } = await get(['--max-time', '10', ...args, `${origin.url}/bytes/100`]);
    expect([code, stderr]).toEqual([
      9,
      expect.stringMatching(/out\.bin\.part is no regular file\. Look at it and take it away/),
    ]);
    expect(origin.log.length).toBe(asked);
  });

  it.each([
    ['begins', begin],
    ['goes on', goOn],
  ])('and is a link to another file is left alone by what %s', async (_what, args) => {
    writeFileSync(join(folder, 'important'), 'important');
    symlinkSync('important', join(folder, 'out.bin.part'));
    const { code, stderr } = await get([...args, `${origin.url}/bytes/100`]);
    expect([code, stderr]).toEqual([9, expect.stringMatching(/out\.bin\.part is a link\. /)]);
    expect(readFileSync(join(folder, 'important'), 'utf8')).toBe('important');
    expect(readdirSync(folder).sort()).toEqual(['important', 'out.bin.part']);
  });
});
