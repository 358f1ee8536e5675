// Ctrl-C, whatever `sallyport get` is about: one line, one object of `--json`, nothing left behind.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { createFileServer, status } from './file-server.ts';
import { ALICE, SCRATCH } from './network.ts';
import { createRawServer } from './raw-server.ts';

let turn = 0;

/** Ends the command as soon as the condition holds. */
async function interrupted(
  args: readonly string[],
  isDue: () => boolean,
  signal: NodeJS.Signals = 'SIGINT',
) {
  turn += 1;
  const folder = join(SCRATCH, `stop-${turn}`);
  mkdirSync(folder);
  let end = (_signal: NodeJS.Signals): unknown => undefined;
  const running = sallyport(['get', '--json', '-o', `${folder}/out.bin`, ...args], {
    env: { SALLYPORT_USER: 'CORP\\alice', SALLYPORT_PASSWORD: ALICE.password },
    onStart: (kill: typeof end) => {
      end = kill;
    },
  });
  await expect.poll(isDue, { timeout: 10_000 }).toBe(true);
  end(signal);
  const { code, stdout, stderr } = await running;
  return { code, told: JSON.parse(stdout.toString()), stderr, left: readdirSync(folder) };
}

function expectStopped({
  code,
  told,
  stderr,
  left,
}: Awaited<ReturnType<typeof interrupted>>): void {
  expect(code).toBe(130);
  expect(told).toMatchObject({ ok: false, error: { code: 'INTERRUPTED', blame: 'user' } });
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^sallyport: Stopped before the first byte\.$/);
  expect(left).toEqual([]);
}

describe('another signal', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends like Ctrl-C, with its own number', async (signal, exit) => {
    await using silent = await createRawServer(() => undefined);
    const args = ['--proxy', 'direct', `${silent.url}/`];
    const stopped = await interrupted(args, () => silent.connections() > 0, signal);
    expect(stopped.code).toBe(exit);
    expectStopped({ ...stopped, code: 130 });
  });
});

describe('Ctrl-C', () => {
  it('while a proxy is silent', async () => {
    await using silent = await createRawServer(() => undefined);
    expectStopped(
      await interrupted(
        ['--proxy', silent.url, 'https://example.com/'],
        () => silent.connections() > 0,
      ),
    );
  });

  it('while a server behind a proxy is silent', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using silent = await createRawServer(() => undefined);
    expectStopped(
      await interrupted(['--proxy', proxy.url, `${silent.url}/`], () => silent.connections() > 0),
    );
  });

  it('while it waits for another try', async () => {
    await using server = await createFileServer(Buffer.from(''));
    server.instead.push(status(503, { 'retry-after': '60' }));
    expectStopped(
      await interrupted(
        ['--proxy', 'direct', '--retry', '1', `${server.url}/`],
        () => server.requests.length > 0,
      ),
    );
  });

  it('while it uploads, with the count of what was sent', async () => {
    const large = join(SCRATCH, 'stop-large.bin');
    writeFileSync(large, Buffer.alloc(20_000_000));
    let began = false;
    await using slow = await createRawServer((socket) => {
      socket.once('data', () => {
        began = true;
        socket.pause();
      });
    });
    const { code, told } = await interrupted(
      ['--proxy', 'direct', '-T', large, `${slow.url}/`],
      () => began,
    );
    expect(code).toBe(130);
    expect(told).toMatchObject({
      error: { code: 'INTERRUPTED', message: expect.stringMatching(/^Stopped after sending /) },
    });
  });
});
