// `sallyport login`, `logout` and `trust` where there is no keyring: what is said, what is sent, what is kept. The keyring
// itself is in test/lab/keyring.test.ts.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy } from '../../src/testing/index.ts';
import { createCorporateProxy } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, SCRATCH } from './network.ts';

const USER = ['--user', 'CORP\\alice'];

let proxy: CorporateProxy;
let home: string;
let turn = 0;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
});

afterAll(async () => {
  await proxy.close();
});

beforeEach(() => {
  turn += 1;
  home = join(SCRATCH, `login-${turn}`);
  mkdirSync(home);
});

/** Nothing of a desktop in its environment, and so no D-Bus. */
const run = (args: readonly string[], env = {}, input = '') =>
  sallyport(args, { env: { HOME: home, ...env }, input });

const folder = () => join(home, '.config', 'sallyport');

describe('sallyport login', () => {
  it.runIf(process.platform === 'linux')(
    'without a Secret Service says so before a logon is spent, and stores nothing',
    async () => {
      const { connections } = proxy.counts();
      const args = ['login', ...USER, '--proxy', proxy.url, '--password-stdin'];
      const { code, stdout, stderr } = await run(args, {}, ALICE.password);
      expect({ code, stdout: stdout.toString() }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toMatch(/^sallyport: There is no Secret Service in this session\. Install/);
      expect(stderr).toContain('SALLYPORT_PASSWORD');
      expect(stderr).not.toContain(ALICE.password);
      expect(proxy.counts().connections).toBe(connections);
      expect(readdirSync(home)).toEqual([]);
    },
  );

  it.runIf(process.platform === 'linux')('tells --json the code of it', async () => {
    const args = ['login', ...USER, '--proxy', proxy.url, '--password-stdin', '--json'];
    const { code, stdout } = await run(args, {}, ALICE.password);
    expect(code).toBe(4);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: false,
      error: { code: 'KEYRING_FAILED', blame: 'platform' },
    });
  });

  it.each([
    ['nobody is named', ['--proxy', 'http://127.0.0.1:9'], /Name the user with --user/],
    ['no proxy is named', USER, /^sallyport: No proxy is named here: direct \(default\)\. Name/],
    ['the page needs none', [...USER, '--proxy', 'direct', 'http://a.test/'], /a\.test needs no/],
    ['a password is in the URL', [...USER, '--proxy', 'http://a:S3cret@b.test'], /no password in/],
    ['a password is in the name', ['--user', 'a:S3cret', '--proxy', 'http://b.test'], /name only/],
  ])('is a matter of usage when %s', async (_what, args, words) => {
    const { code, stderr } = await run(['login', ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('S3cret');
  });
});

describe('sallyport logout', () => {
  it('removes nothing where nothing is stored, with or without a keyring', async () => {
    expect((await run(['logout', '--proxy', proxy.url])).stdout.toString()).toBe(
      `Nothing was stored for ${proxy.url}.\n`,
    );
    const all = await run(['logout', '--all', '--json']);
    expect(JSON.parse(all.stdout.toString())).toEqual({ ok: true, removed: [] });
  });

  it('names what is stored when the network names no proxy', async () => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), 'stored-logins.json'), '["proxy.test:3128"]');
    const { code, stderr } = await run(['logout']);
    expect(code).toBe(2);
    expect(stderr).toContain('A password is stored for proxy.test:3128');
  });

  it('takes no proxy beside --all', async () => {
    expect((await run(['logout', '--all', '--proxy', proxy.url])).code).toBe(2);
  });
});

describe('sallyport get', () => {
  it.runIf(process.platform === 'linux')(
    'goes on when the keyring is silent: a bus that takes connections and says nothing',
    async () => {
      const path = join(home, 'bus');
      const silent = createServer((socket) => socket.resume().on('error', () => undefined));
      await new Promise<void>((resolve) => silent.listen(path, resolve));
      mkdirSync(folder(), { recursive: true });
      writeFileSync(
        join(folder(), 'stored-logins.json'),
        JSON.stringify([new URL(proxy.url).host]),
      );
      const args = ['get', ...USER, '--proxy', proxy.url, 'http://127.0.0.1:9/'];
      const started = performance.now();
      const { code, stderr } = await run(args, { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` });
      expect(performance.now() - started).toBeGreaterThan(1_900);
      expect(code).toBe(4);
      expect(stderr).toContain('there is no password for CORP\\alice');
      await new Promise((resolve) => silent.close(resolve));
    },
  );

  it('with a login it cannot read names what is missing, as ever', async () => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), 'stored-logins.json'), JSON.stringify([new URL(proxy.url).host]));
    const args = ['get', ...USER, '--proxy', proxy.url, 'http://127.0.0.1:9/'];
    const { code, stderr } = await run(args);
    expect(code).toBe(4);
    expect(stderr).toContain('there is no password for CORP\\alice');
  });
});

describe('sallyport trust', () => {
  it('keeps, shows and removes a proxy', async () => {
    const added = await run(['trust', 'Proxy.Corp.Example:3128']);
    expect(added.stdout.toString()).toMatch(/^proxy\.corp\.example:3128 is trusted now: /);
    expect((await run(['trust', '--json', 'other.test'])).stdout.toString()).toContain(
      '"trusted":"other.test"',
    );
    const path = join(folder(), 'trusted-proxies.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([
      'other.test',
      'proxy.corp.example:3128',
    ]);
    const removed = await run(['trust', '--remove', 'other.test']);
    expect(removed.stdout.toString()).toBe('other.test is trusted no longer.\n');
    expect((await run(['trust', '--list'])).stdout.toString()).toBe('proxy.corp.example:3128\n');
  });

  it('says what remains when a host is removed and its port is not', async () => {
    await run(['trust', 'proxy.test:3128']);
    const { code, stdout } = await run(['trust', '--remove', 'proxy.test']);
    expect(code).toBe(0);
    expect(stdout.toString()).toBe(
      'proxy.test was not in the list. Still trusted: proxy.test:3128.\n',
    );
  });

  it('shows what the configuration file trusts, too', async () => {
    mkdirSync(folder(), { recursive: true });
    const path = join(folder(), 'config.json');
    writeFileSync(path, '{"trustedProxies": ["kept.test"]}');
    expect((await run(['trust', '--list'])).stdout.toString()).toBe(`kept.test (${path})\n`);
  });

  it.each([[], ['a.test', '--list'], ['*.test'], ['http://a:S3cret@b.test']])(
    'is a matter of usage when asked for %j',
    async (...args) => {
      const { code, stderr } = await run(['trust', ...args]);
      expect(code).toBe(2);
      expect(stderr).not.toContain('S3cret');
    },
  );

  it('names a file that is something else', async () => {
    mkdirSync(folder(), { recursive: true });
    const path = join(folder(), 'trusted-proxies.json');
    writeFileSync(path, 'proxy.test');
    const { code, stderr } = await run(['trust', 'a.test']);
    expect(code).toBe(2);
    expect(stderr).toContain(`${path} is not a JSON array of host names`);
    expect(readFileSync(path, 'utf8')).toBe('proxy.test');
  });
});
