// `sallyport serve` as a process while the world round it changes: the clock jumps, names are not found, the password is changed, the proxy takes
// only so many connections, the port is taken, clients drip. What a client sees is a right answer or a clear error in time.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { MAIN, sallyport } from './command.ts';
import { hasNameService, openNameService, withNameService } from './name-service.ts';
import { ALICE, SCRATCH } from './network.ts';
import { RawClient } from './raw-client.ts';
import { createRawServer } from './raw-server.ts';

const LONG_MS = 30_000;
const NTLM = { schemes: ['NTLM'], users: [ALICE] } as const;
const NAME = 'proxy.names.example';
const SPN_OF_NAME = { ...NTLM, spn: `HTTP/${NAME}` };
const HAS_NAME_SERVICE = hasNameService();
const isRoot = process.geteuid?.() === 0;

const byName = (port: number): string => `http://${NAME}:${port}`;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

class Serve implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  /** @param before words in front of the command */
  static async start(
    proxy: string,
    env: Readonly<Record<string, string>> = {},
    before: readonly string[] = [],
  ): Promise<Serve> {
    const args = ['serve', '--json', '--listen', '0', '--proxy', proxy, '--user', 'CORP\\alice'];
    const own = [MAIN, ...args, ...(isRoot ? ['--same-user'] : [])];
    const [command = '', ...words] = [...before, process.execPath, ...own];
    const child = spawn(command, words, {
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        SALLYPORT_STATE_DIR: mkdtempSync(join(SCRATCH, 'serve-')),
        SALLYPORT_PASSWORD: ALICE.password,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    return new Serve(
      child,
      Number(new URL((JSON.parse(String(line)) as { url: string }).url).port),
    );
  }

  client(): Promise<RawClient> {
    return RawClient.to({ host: '127.0.0.1', port: this.port });
  }

  /** A request on a connection of its own. */
  async get(url: string) {
    await using client = await this.client();
    return await client.ask('GET', url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
  }
}

/** Of the packages libfaketime; it moves the clock of a process for all of its calls. */
function findFakeTime(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  return folders
    .map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
    .find((file) => existsSync(file));
}

interface Clock {
  readonly env: Readonly<Record<string, string>>;
  /** Sets it forward, or back, by so many days. */
  jump(days: number, child: ChildProcess): Promise<void>;
}

/** `Date` alone, from within: timers and the monotonic clock go on, as they do when a machine's clock is set. */
function dateFromWithin(): Clock {
  const folder = mkdtempSync(join(SCRATCH, 'clock-'));
  const [file, script] = [join(folder, 'days'), join(folder, 'clock.cjs')];
  writeFileSync(file, '0');
  writeFileSync(
    script,
    `const { readFileSync } = require('node:fs');
    const real = Date;
    const shifted = () => real.now() + Number(readFileSync(${JSON.stringify(file)}, 'utf8')) * 86400000;
    globalThis.Date = class Date extends real {
      constructor(...words) { words.length === 0 ? super(shifted()) : super(...words); }
      static now() { return shifted(); }
    };`,
  );
  return {
    env: { NODE_OPTIONS: `--require ${script}` },
    jump: async (days) => writeFileSync(file, String(days)),
  };
}

function libFakeTime(library: string): Clock {
  const file = join(mkdtempSync(join(SCRATCH, 'faketime-')), 'timestamp');
  writeFileSync(file, '+0d\n');
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    jump: async (days) => writeFileSync(file, `${days < 0 ? '' : '+'}${days}d\n`),
  };
}

const LIBRARY = findFakeTime();

describe('a clock that jumps', { timeout: LONG_MS }, () => {
  const play = async (clock: Clock): Promise<void> => {
    await using corporate = await createCorporateProxy(NTLM);
    await using origin = await createOrigin();
    await using echo = await createRawServer((socket) => socket.pipe(socket));
    await using serve = await Serve.start(corporate.url, clock.env);
    await using tunnel = await serve.client();
    expect((await tunnel.ask('CONNECT', `127.0.0.1:${echo.port}`)).head.status).toBe(200);
    await using keeping = await serve.client();
    for (const days of [0, 30, -30, 3650, 0]) {
      await clock.jump(days, serve.child);
      const started = performance.now();
      tunnel.socket.write(`day ${days}`);
      expect(String(await tunnel.read())).toBe(`day ${days}`);
      const kept = await keeping.ask('GET', `${origin.url}/bytes/10`);
      const fresh = await serve.get(`${origin.url}/bytes/20`);
      expect([kept.body, fresh.body]).toEqual([originBytes(10), originBytes(20)]);
      await using other = await serve.client();
      expect((await other.ask('CONNECT', `127.0.0.1:${echo.port}`)).head.status).toBe(200);
      expect(performance.now() - started).toBeLessThan(5000);
    }
    expect(corporate.counts().refusals).toEqual({});
  };

  it('forth and back by years cuts no tunnel, and every request is answered', () =>
    play(dateFromWithin()));

  it.skipIf(LIBRARY === undefined)(
    'the same by libfaketime, for all of the process (wants the package libfaketime)',
    () => play(libFakeTime(LIBRARY ?? '')),
  );
});

describe.skipIf(!HAS_NAME_SERVICE)(
  'a name service that is not ready (wants root and a mount namespace)',
  { timeout: 60_000 },
  () => {
    it('for 5 s is waited for, and the request is answered', async () => {
      await using names = await openNameService();
      await using corporate = await createCorporateProxy(SPN_OF_NAME);
      await using origin = await createOrigin();
      await using serve = await Serve.start(byName(corporate.port), {}, withNameService());
      const began = performance.now();
      const answered = serve.get(`${origin.url}/bytes/10`);
      await until(() => names.questions() > 0);
      setTimeout(() => (names.state = 'answering'), 5000);
      expect((await answered).body).toEqual(originBytes(10));
      expect(performance.now() - began).toBeGreaterThan(4900);
    });

    it('and says so is told at once, and asked again for the next request', async () => {
      await using names = await openNameService();
      names.state = 'failing';
      await using corporate = await createCorporateProxy(SPN_OF_NAME);
      await using origin = await createOrigin();
      await using serve = await Serve.start(byName(corporate.port), {}, withNameService());
      await using client = await serve.client();
      const { head } = await client.ask('GET', `${origin.url}/bytes/10`);
      expect(head.status).toBe(502);
      expect(head.headers.first('proxy-status')).toContain('error=dns_error');
      names.state = 'answering';
      expect((await client.ask('GET', `${origin.url}/bytes/10`)).body).toEqual(originBytes(10));
    });
  },
);

it.skipIf(!HAS_NAME_SERVICE)(
  'a name service that stays silent is told from a proxy that does (wants root and a mount namespace)',
  async () => {
    await using names = await openNameService();
    const program = `
      const { openTunnel } = await import('${new URL('../../dist/index.js', import.meta.url)}');
      const options = { proxy: '${byName(9)}', connectTimeoutMs: 500, env: {} };
      await openTunnel('origin.test:443', options).catch(({ code, waitedFor, message }) =>
        console.log(JSON.stringify({ code, waitedFor, message })));
      process.kill(process.pid, 'SIGKILL');`;
    const node = [process.execPath, '--input-type=module', '-e', program];
    const [command = '', ...words] = [...withNameService(), ...node];
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(await json(child.stdout)).toEqual({
      code: 'TIMEOUT',
      waitedFor: 'name',
      message: `${NAME}: no address came from the name service within 0.5 s`,
    });
    expect(names.questions()).toBeGreaterThan(0);
  },
);

describe('a password that is changed under way', { timeout: LONG_MS }, () => {
  it('is tried by those who were on their way and by three at most, with a clear error for every request', async () => {
    await using origin = await createOrigin();
    const before = await createCorporateProxy(NTLM);
    const { port, url } = before;
    await using serve = await Serve.start(url);
    expect((await serve.get(`${origin.url}/bytes/10`)).head.status).toBe(200);

    await before.close();
    const changed = { ...ALICE, password: 'Another-Secret2' };
    await using after = await createCorporateProxy({ ...NTLM, users: [changed], port });
    const told = await Promise.all(
      Array.from({ length: 20 }, async () => (await serve.get(`${origin.url}/bytes/10`)).head),
    );
    told.push((await serve.get(`${origin.url}/bytes/10`)).head);
    for (const { status, headers } of told) {
      expect(status).toBe(502);
      expect(headers.first('proxy-authenticate')).toBeUndefined();
      expect(headers.first('proxy-status')).toMatch(
        / details="(?:PROXY_DENIED|CREDENTIALS_REFUSED): /,
      );
    }
    const wrong = Object.values(after.counts().refusals).reduce((sum, count) => sum + count, 0);
    expect(wrong).toBeGreaterThan(0);
    // Four sign-ons are under way at first, and some more by then on a slow machine.
    expect(wrong).toBeLessThan(10);

    await using again = await Serve.start(url, { SALLYPORT_PASSWORD: changed.password });
    expect((await again.get(`${origin.url}/bytes/10`)).head.status).toBe(200);
  });
});

describe('a proxy that takes so many connections of a user', { timeout: LONG_MS }, () => {
  it.each([403, 503] as const)(
    'lets as many through, answers the others by %d at once, and takes them when some have gone',
    async (refusal) => {
      const habits = [{ name: 'connection-cap', connections: 4, refusal }] as const;
      await using corporate = await createCorporateProxy({ ...NTLM, habits });
      await using echo = await createRawServer((socket) => socket.pipe(socket));
      await using serve = await Serve.start(corporate.url);
      const open = async () => {
        const client = await serve.client();
        const { head } = await client.ask('CONNECT', `127.0.0.1:${echo.port}`);
        return { client, head };
      };
      const started = performance.now();
      const all = await Promise.all(Array.from({ length: 10 }, open));
      expect(performance.now() - started).toBeLessThan(10_000);
      const through = all.filter(({ head }) => head.status === 200);
      const refused = all.filter(({ head }) => head.status === refusal);
      expect([through.length, refused.length]).toEqual([4, 6]);
      for (const { head } of refused) {
        expect(head.headers.first('proxy-status')).toContain(`received-status=${refusal}`);
      }
      for (const { client } of through) {
        client.socket.write('ping');
        expect(String(await client.read())).toBe('ping');
      }
      await Promise.all(all.map(({ client }) => client[Symbol.asyncDispose]()));
      const next = await open();
      expect(next.head.status).toBe(200);
      await next.client[Symbol.asyncDispose]();
    },
  );
});

describe('a port that is taken', () => {
  it('is named, with what to do, and nothing is left running', async () => {
    await using other = await createRawServer(() => undefined);
    const words = ['--listen', String(other.port), '--proxy', 'http://127.0.0.1:9'];
    const { code, stderr } = await sallyport(['serve', ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(`Port ${other.port} on this machine is not to be had (EADDRINUSE)`);
    expect(stderr).toContain('Name another port in --listen, or 0 for any that is free.');
  });
});

describe('a state folder that cannot be used', () => {
  it('is named, and nothing is left running', async () => {
    const folder = join(mkdtempSync(join(SCRATCH, 'state-')), 'file');
    writeFileSync(folder, '');
    const env = { SALLYPORT_STATE_DIR: folder };
    const words = ['--listen', '0', '--proxy', 'http://127.0.0.1:9'];
    const { code, stderr } = await sallyport(['serve', ...words], { env });
    expect(code).toBe(9);
    expect(stderr).toContain(`sallyport: ${join(folder, 'serve.json')} cannot be used`);
    expect(stderr).toContain('name another folder in SALLYPORT_STATE_DIR.');
  });
});
