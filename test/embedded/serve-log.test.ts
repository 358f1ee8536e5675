// The log of `sallyport serve` where it cannot be written: a pipe nobody reads, a full device, a full disk. What must not happen: that
// the proxy waits for it, or ends. And that a secret stands in it.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE } from './network.ts';
import { RawClient } from './raw-client.ts';
import { FOR_US, metricsOf, Serve, until } from './serve-process.ts';

const LONG_MS = 30_000;
const isLinux = process.platform === 'linux';
const hasMountNamespaces =
  isLinux && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const DEBUG = ['--log-level', 'debug', ...FOR_US];
const DROPPED = 'sallyport_log_lines_dropped_total';

type Line = Readonly<Record<string, unknown>>;

const corporate = () => createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const logOf = (path: string): Line[] => linesOf(readFileSync(path, 'utf8'));
/** Of lines that are whole, or the pieces of one that was torn. */
const noticesIn = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line.includes('"dropped":'))
    .map((line) => JSON.parse(line) as Line);

/** Many requests, each of which is some lines. */
async function ask(port: number, url: string, times: number): Promise<void> {
  await using client = await RawClient.to({ host: '127.0.0.1', port });
  for (let count = 0; count < times; count += 1) {
    expect((await client.ask('GET', `${url}/bytes/10?n=${count}`)).head.status).toBe(200);
  }
}

/** Asks until lines have been lost. */
async function askUntilLost(port: number, url: string): Promise<number> {
  return await until(async () => {
    await Promise.all([1, 2, 3, 4].map(() => ask(port, url, 50)));
    const lost = (await metricsOf(port)).get(DROPPED) ?? 0;
    return lost > 0 ? lost : null;
  });
}

describe('the log of sallyport serve', { timeout: LONG_MS }, () => {
  it('is a file of this user alone, a line for each request at debug, and none at info', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    const port = await serve.start(['--proxy', proxy.url, '--log', log, ...DEBUG]);
    await ask(port, origin.url, 3);
    await until(() =>
      logOf(log).filter(({ msg }) => msg === 'request').length === 3 ? true : null,
    );
    expect(statSync(log).mode & 0o777).toBe(0o600);
    expect(logOf(log)).toContainEqual(
      expect.objectContaining({ kind: 'forward', target: `${origin.url}/bytes/10`, status: 200 }),
    );
    expect(logOf(log)).toContainEqual(
      expect.objectContaining({ msg: 'sign-on accepted', scheme: 'NTLM', legs: 2 }),
    );
    serve.child.kill('SIGTERM');
    expect(await serve.ended()).toBe(0);
    expect(logOf(log).at(-1)).toMatchObject({ msg: 'stopped' });

    await using quiet = new Serve();
    const other = join(quiet.folder, 'serve.log');
    await ask(await quiet.start(['--proxy', proxy.url, '--log', other, ...FOR_US]), origin.url, 3);
    quiet.child.kill('SIGTERM');
    expect(await quiet.ended()).toBe(0);
    expect(logOf(other).map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/^listening at /),
      'stopping',
      'stopped',
    ]);
  });

  it('has no secret of what passes: token, passwords, credentials, queries, cookies', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    const port = await serve.start([
      '--proxy',
      proxy.url,
      '--log',
      log,
      '--token',
      '--log-level',
      'debug',
    ]);
    const [, token = ''] = /x:([\w-]+)@/.exec(await serve.command('env')) ?? [];
    const basic = (text: string) => Buffer.from(text).toString('base64');
    const secret = 'kq7-Geheim-93x';
    const admitted = `Proxy-Authorization: Basic ${basic(`x:${token}`)}`;
    const requests: [string, string, ...string[]][] = [
      ['GET', `${origin.url}/bytes/5?signature=${secret}`, admitted, `Cookie: sid=${secret}`],
      ['GET', `${origin.url}/bytes/5`, admitted, `Authorization: Bearer ${secret}`],
      ['GET', `http://alice:${secret}@127.0.0.1/`, admitted],
      ['CONNECT', `alice:${secret}@127.0.0.1:443`, admitted],
      ['GET', `${origin.url}/bytes/5`, `Proxy-Authorization: Basic ${basic(`x:${secret}`)}`],
      ['GET', `/status?token=${token}`, admitted],
      [`${secret}`.replaceAll('-', ''), `${origin.url}/bytes/5`, `X-Key: ${secret}`],
      ['GET', `no-address-at-all:${secret}@`, admitted],
    ];
    for (const [method, target, ...headers] of requests) {
      await using client = await RawClient.to({ host: '127.0.0.1', port });
      await client.ask(method, target, headers).catch(() => undefined);
    }
    serve.child.kill('SIGTERM');
    await serve.ended();
    const said = readFileSync(log, 'utf8');
    expect(linesOf(said).filter(({ kind }) => kind !== undefined).length).toBeGreaterThanOrEqual(
      requests.length,
    );
    const words = [secret, basic(`x:${secret}`), token, basic(`x:${token}`), ALICE.password];
    expect(words.filter((word) => said.includes(word))).toEqual([]);
    expect(said).not.toMatch(/TlRMTVNTUA/);
  });

  it.skipIf(!isLinux)(
    'loses lines, and no request, where nobody reads standard error',
    async () => {
      await using proxy = await corporate();
      await using origin = await createOrigin();
      await using serve = new Serve();
      const pipe = join(serve.folder, 'stalled');
      execFileSync('mkfifo', [pipe]);
      const reader = openSync(pipe, constants.O_RDWR);
      try {
        const port = await serve.start(['--proxy', proxy.url, ...DEBUG], { stderr: reader });
        const lost = await askUntilLost(port, origin.url);
        expect(lost).toBeGreaterThan(0);

        serve.child.kill('SIGTERM');
        expect(await serve.ended()).toBe(0);
      } finally {
        closeSync(reader);
      }
    },
  );

  it.skipIf(!isLinux)('says how many lines were lost once a pipe is read again', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const pipe = join(serve.folder, 'slow');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      const port = await serve.start(['--proxy', proxy.url, '--log', pipe, ...DEBUG]);
      await askUntilLost(port, origin.url);
      let text = '';
      const buffer = Buffer.alloc(65_536);
      await until(() => {
        try {
          text += buffer.subarray(0, readSync(reader, buffer)).toString('latin1');
        } catch {
          // Nothing in it at this moment.
        }
        return noticesIn(text.slice(0, text.lastIndexOf('\n') + 1)).length > 0 ? true : null;
      });
      const whole = linesOf(text.slice(0, text.lastIndexOf('\n') + 1));
      const notice = whole.find(({ dropped }) => dropped !== undefined);
      expect(notice).toMatchObject({ level: 'warn', why: 'more came than could be written' });
      expect(notice?.['dropped']).toBeLessThanOrEqual((await metricsOf(port)).get(DROPPED) ?? 0);
    } finally {
      closeSync(reader);
    }
  });

  it.skipIf(!isLinux)('goes on where the device is full, and counts', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, '--log', '/dev/full', ...DEBUG]);
    await ask(port, origin.url, 20);
    await until(async () => ((await metricsOf(port)).get(DROPPED) ? true : null));
    await ask(port, origin.url, 20);
    serve.child.kill('SIGTERM');
    expect(await serve.ended()).toBe(0);
  });

  it.skipIf(!hasMountNamespaces)(
    'goes on at a full disk, and says what is missing when there is room (wants root)',
    async () => {
      await using proxy = await corporate();
      await using origin = await createOrigin();
      await using serve = new Serve();
      const disk = '/mnt';
      const script = `mount -t tmpfs -o size=64k none ${disk} && exec "$@"`;
      const port = await serve.start(
        ['--proxy', proxy.url, '--log', `${disk}/serve.log`, ...DEBUG],
        {
          under: ['unshare', '-m', 'sh', '-c', script, 'sh'],
        },
      );
      const seen = `/proc/${serve.child.pid}/root${disk}`;
      writeFileSync(join(seen, 'ballast'), Buffer.alloc(40_000));
      await askUntilLost(port, origin.url);
      rmSync(join(seen, 'ballast'));
      const log = join(seen, 'serve.log');
      const notice = await until(async () => {
        await ask(port, origin.url, 1);
        return noticesIn(readFileSync(log, 'utf8'))[0] ?? null;
      });
      expect(notice).toMatchObject({ level: 'warn', why: 'ENOSPC' });
      expect(Number(notice['dropped'])).toBeGreaterThan(0);
      // At most one line is torn where the disk was full, and it stands alone.
      const torn = readFileSync(log, 'utf8')
        .split('\n')
        .slice(0, -1)
        .filter((line) => !/^\{.*\}$/.test(line));
      expect(torn.length).toBeLessThanOrEqual(Number(noticesIn(readFileSync(log, 'utf8')).length));
      serve.child.kill('SIGTERM');
      expect(await serve.ended()).toBe(0);
    },
  );

  it('goes on in a new file after SIGHUP, and loses no line', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    const port = await serve.start(['--proxy', proxy.url, '--log', log, ...DEBUG]);
    await ask(port, origin.url, 5);
    renameSync(log, `${log}.1`);
    serve.child.kill('SIGHUP');
    await until(() => (statSync(log, { throwIfNoEntry: false }) === undefined ? null : true));
    await until(() => (logOf(log).some(({ msg }) => msg === 'settings changed') ? true : null));
    await ask(port, origin.url, 5);
    serve.child.kill('SIGTERM');
    expect(await serve.ended()).toBe(0);
    const requests = [...logOf(`${log}.1`), ...logOf(log)].filter(({ msg }) => msg === 'request');
    expect(requests).toHaveLength(10);
    expect(logOf(log).at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('is refused at the start where it cannot be opened', async () => {
    await using serve = new Serve();
    const args = [
      'serve',
      '--proxy',
      'direct',
      '--listen',
      '0',
      '--log',
      join(serve.folder, 'no/such/serve.log'),
    ];
    await expect(serve.command(...args)).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /serve\.log cannot be opened \(ENOENT\)[\s\S]*Name another file with --log/,
      ),
    });
  });
});
