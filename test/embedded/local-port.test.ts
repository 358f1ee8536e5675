// Who may use the port of the local proxy, on this machine: real processes of real users. What must not happen: that somebody
// else's request reaches the corporate proxy, where it would be signed on as us.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ProxyServer, ProxyServerOptions } from '../../src/server/local-proxy.ts';
import { createProxyServer } from '../../src/server/local-proxy.ts';
import { nameOfUser } from '../../src/server/user-names.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE, clientOfAlice } from './network.ts';
import type { Outcome, Place, Whence } from './other-program.ts';
import { askAs, bearing } from './other-program.ts';
import { RawClient } from './raw-client.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const isLinux = process.platform === 'linux';
/** Programs of other users can be started by root only. */
const isRoot = isLinux && process.getuid?.() === 0;
const hasUserNamespaces = isLinux && spawnSync('unshare', ['--user', 'true']).status === 0;
const OWN = String(process.getuid?.());
const NOBODY = 65_534;
const SOMEBODY = 54_321;
const FOUR = '127.0.0.1';
const LOOPBACK = [FOUR, '::1', '::ffff:127.0.0.1'];

interface Stage {
  readonly proxy: ProxyServer;
  readonly ask: (who: Whence, host?: string, ...headers: string[]) => Promise<Outcome>;
  /** Connections at the corporate proxy. */
  readonly upstream: () => number;
}

async function onStage(
  options: Omit<ProxyServerOptions, 'upstream'>,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  await using origin = await createOrigin();
  await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  await using upstream = await clientOfAlice({ proxy: corporate.url });
  await using proxy = await createProxyServer({ upstream, ...options });
  await play({
    proxy,
    ask: (who, host = FOUR, ...headers) =>
      askAs(who, { host, port: proxy.port }, `${origin.url}/bytes/10`, headers),
    upstream: () => corporate.counts().connections,
  });
}

describe.skipIf(!isRoot)('a program of another user (wants root)', () => {
  it.each(LOOPBACK)('gets nothing sent on by %s, and is told who it is', async (host) => {
    await onStage({ sameUser: true }, async ({ ask, proxy, upstream }) => {
      const outcome = await ask({ uid: NOBODY }, host);
      expect(outcome.status).toBe(407);
      expect(outcome.text).toContain('Proxy-Authenticate: Basic realm="sallyport"');
      const name = nameOfUser(String(NOBODY));
      expect(outcome.text).toContain(`port ${outcome.port}, of ${name} (uid ${NOBODY})`);
      expect(outcome.text).toContain(`Start Sallyport with --allow-user ${name} to admit it.`);
      expect(outcome.text).not.toContain(proxy.token);
      expect(upstream()).toBe(0);
    });
  });

  it('is admitted when it is named, as _apt would be, and nobody else', async () => {
    await onStage({ allowUsers: [String(SOMEBODY)] }, async ({ ask, upstream }) => {
      expect(await ask({ uid: NOBODY })).toMatchObject({ status: 407 });
      expect(await ask({ uid: 0 })).toMatchObject({ status: 407 });
      expect(upstream()).toBe(0);
      for (const host of LOOPBACK) {
        expect(await ask({ uid: SOMEBODY }, host)).toMatchObject({ status: 200 });
      }
    });
  });

  it('is refused with a wrong token although it is named, and told nothing', async () => {
    await onStage({ allowUsers: [String(NOBODY)] }, async ({ ask, upstream }) => {
      const outcome = await ask({ uid: NOBODY }, FOUR, bearing('wrong'));
      expect(outcome.status).toBe(407);
      expect(outcome.text).not.toMatch(/nobody|uid|--allow-user/);
      expect(upstream()).toBe(0);
    });
  });

  it('is admitted with the token', async () => {
    await onStage({}, async ({ ask, proxy }) => {
      expect(await ask({ uid: NOBODY }, FOUR, bearing(proxy.token))).toMatchObject({ status: 200 });
    });
  });

  it('is never root, though it closes before it is asked for', async () => {
    await onStage({ allowUsers: ['root'] }, async ({ ask, proxy, upstream }) => {
      const hasty = `const s = require('node:net').connect(${proxy.port}, '127.0.0.1', () => {
        s.write('GET http://origin.test/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n', () => process.exit());
      });`;
      for (let tries = 0; tries < 5; tries += 1) {
        const child = spawn(process.execPath, ['-e', hasty], {
          uid: NOBODY,
          gid: NOBODY,
          cwd: '/',
        });
        await once(child, 'close');
      }
      expect(await ask({ uid: NOBODY })).toMatchObject({ status: 407 });
      expect(upstream()).toBe(0);
    });
  });

  it.each(['--same-user', '--java'])(
    'has a port of its own by run %s, which root may not use',
    async (option) => {
      await using origin = await createOrigin();
      await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
      await withRunOf(SOMEBODY, [option, '--proxy', corporate.url], async (place) => {
        const ask = (uid: number) => askAs({ uid }, place, `${origin.url}/bytes/10`);
        expect(await ask(0)).toMatchObject({ status: 407 });
        expect(await ask(NOBODY)).toMatchObject({ status: 407 });
        expect(corporate.counts().connections).toBe(0);
        expect(await ask(SOMEBODY)).toMatchObject({ status: 200 });
      });
    },
  );
});

describe('a program of this user', () => {
  it('needs the token when nothing else is said, and reads which option would admit it', async () => {
    await onStage({}, async ({ ask, proxy, upstream }) => {
      const outcome = await ask({});
      expect(outcome).toMatchObject({ status: 407 });
      expect(outcome.text).toContain('This port is for whoever has its token.');
      if (isLinux) {
        expect(outcome.text).toContain('Start Sallyport with --same-user to admit it.');
      }
      expect(upstream()).toBe(0);
      expect(await ask({}, FOUR, bearing(proxy.token))).toMatchObject({ status: 200 });
    });
  });

  it.skipIf(!isLinux)('needs none with sameUser, and there may be none', async () => {
    await onStage({ sameUser: true, token: null }, async ({ ask, proxy }) => {
      expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`);
      for (const host of LOOPBACK) {
        expect(await ask({}, host)).toMatchObject({ status: 200 });
      }
      expect(await ask({}, FOUR, bearing('any'))).toMatchObject({ status: 407 });
    });
  });

  it.skipIf(!isLinux)('is refused with a wrong token, whoever it is', async () => {
    await onStage({ sameUser: true, allowUsers: [OWN] }, async ({ ask, upstream }) => {
      expect(await ask({}, FOUR, bearing('wrong'))).toMatchObject({ status: 407 });
      expect(upstream()).toBe(0);
    });
  });
});

describe.skipIf(!hasUserNamespaces)('in a user namespace (wants unshare --user)', () => {
  it('all users it does not know are one, and so nobody', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-run-'));
    chmodSync(home, 0o777);
    const asker = `
      const { port } = new URL(process.env.HTTP_PROXY);
      require('node:http').get({ host: '127.0.0.1', port, path: 'http://origin.test/' }, (answer) => {
        console.log(process.getuid(), answer.statusCode);
        answer.pipe(process.stdout);
      });`;
    const run = [
      MAIN,
      'run',
      '--proxy',
      'direct',
      '--same-user',
      '--',
      process.execPath,
      '-e',
      asker,
    ];
    const { stdout, stderr } = spawnSync('unshare', ['--user', process.execPath, ...run], {
      env: { PATH: process.env['PATH'] ?? '', HOME: home, SALLYPORT_STATE_DIR: home },
      encoding: 'utf8',
      timeout: 10_000,
    });
    rmSync(home, { recursive: true, force: true });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^65534 407\n/);
    expect(stdout).toContain('of a user this system does not tell');
  });
});

describe('a web page in a browser', () => {
  it('is refused our pages under another name, or from another site', async () => {
    await onStage({ sameUser: true }, async ({ proxy, upstream }) => {
      const place = { host: FOUR, port: proxy.port };
      const own = `localhost:${proxy.port}`;
      const page = (host: string, ...headers: string[]) =>
        fetchRaw(place, [`Host: ${host}`, bearing(proxy.token), ...headers]);
      expect(await page('rebound.example')).toBe(403);
      expect(await page(own, 'Origin: http://evil.example')).toBe(403);
      expect(await page(own, `Origin: http://${own}`)).toBe(200);
      expect(await page(own)).toBe(200);
      expect(upstream()).toBe(0);
    });
  });
});

async function fetchRaw({ host, port }: Place, headers: readonly string[]): Promise<number> {
  await using client = await RawClient.to({ host, port });
  client.send(['GET / HTTP/1.1', ...headers]);
  return (await client.response('GET')).head.status;
}

/** The built command as that user runs it; its program tells where the port is, and waits. */
async function withRunOf(
  uid: number,
  options: readonly string[],
  play: (place: Place) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-run-'));
  chownSync(home, uid, uid);
  const words = [
    MAIN,
    'run',
    '--user',
    'CORP\\alice',
    ...options,
    '--',
    'sh',
    '-c',
    'echo "$HTTP_PROXY"; read line',
  ];
  const run = spawn(process.execPath, words, {
    cwd: '/',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      SALLYPORT_STATE_DIR: home,
      SALLYPORT_PASSWORD: ALICE.password,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
    uid,
    gid: uid,
  });
  try {
    const lines = createInterface(run.stdout);
    const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
    await play({ host: FOUR, port: Number(new URL(String(line)).port) });
    run.stdin.end('\n');
    const [code] = (await once(run, 'close')) as [number];
    expect(code).toBe(0);
  } finally {
    run.kill();
    rmSync(home, { recursive: true, force: true });
  }
}
