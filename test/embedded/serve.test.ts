// `sallyport serve` and `env` as processes: who gets through, how it ends, what a shell is told.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createCorporateProxy,
  createOrigin,
  createTestCertificates,
} from '../../src/testing/index.ts';
import { MAIN } from './command.ts';
import { ALICE } from './network.ts';
import { RawClient } from './raw-client.ts';
import { FOR_US, isRoot, Serve, until } from './serve-process.ts';

const LONG_MS = 20_000;

const stage = async () => ({
  proxy: await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] }),
  origin: await createOrigin(),
});

describe('sallyport serve', { timeout: LONG_MS }, () => {
  it('signs on for programs of this user, and is found by env', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, ...FOR_US]);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    expect(String((await client.ask('GET', `${origin.url}/bytes/5`)).head.status)).toBe('200');

    const lines = (await serve.command('env', '--shell', 'sh')).split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(
        new RegExp(`^export https_proxy='http://x:[\\w-]+@127.0.0.1:${port}'$`),
      ),
    );
    expect(lines.join('\n')).not.toContain(ALICE.password);
    // Settings of git that stand in this shell stay, and are not shown.
    Object.assign(serve.env, {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: 'X-Token: s3cret',
    });
    const added = await serve.command('env', '--shell', 'sh');
    expect(added).toContain("export GIT_CONFIG_COUNT='2'\nexport GIT_CONFIG_KEY_1='http.proxy'\n");
    expect(added).not.toMatch(/GIT_CONFIG_VALUE_0|s3cret|KEY_0='http\.proxy'/);
    expect(statSync(join(serve.state, 'serve.json')).mode & 0o077).toBe(0);
    await Promise.all([proxy.close(), origin.close()]);
  });

  it.skipIf(!isRoot)('as root wants the token, until it is told otherwise', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url]);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    const { head, body } = await client.ask('GET', `${origin.url}/bytes/5`);
    expect(head.status).toBe(407);
    expect(body.toString()).toContain('Start Sallyport with --same-user to admit it.');
    expect(proxy.counts().connections).toBe(0);
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('wants the token where it was told to', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, '--token']);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    expect((await client.ask('GET', `${origin.url}/bytes/5`)).head.status).toBe(407);

    const [, token] = /x:([\w-]+)@/.exec(await serve.command('env')) ?? [];
    const credentials = Buffer.from(`x:${token}`).toString('base64');
    const answer = await client.ask('GET', `${origin.url}/bytes/5`, [
      `Proxy-Authorization: Basic ${credentials}`,
    ]);
    expect(answer.head.status).toBe(200);
    expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
    await Promise.all([proxy.close(), origin.close()]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('lets what is under way end at %s', async (signal) => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, ...FOR_US]);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('CONNECT', `127.0.0.1:${origin.port}`);
    serve.child.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await client.ask('GET', '/bytes/5')).body).toHaveLength(5);
    expect(serve.child.exitCode).toBeNull();
    client.socket.end();
    const [code] = (await once(serve.child, 'exit')) as [number];

    expect(code).toBe(0);
    expect(readFileSync(join(serve.state, 'serve.json'), 'utf8')).toBe('{}');
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('is cut by a second signal', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, ...FOR_US]);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('CONNECT', `127.0.0.1:${origin.port}`);
    serve.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    serve.child.kill('SIGTERM');
    const [code] = (await once(serve.child, 'exit')) as [number];

    expect(code).toBe(0);
    await Promise.all([proxy.close(), origin.close()]);
  });
});

const hasTerminals = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasTerminals)('SIGHUP at a terminal (wants script)', { timeout: LONG_MS }, () => {
  /** Below a terminal of its own, which ends with `script`. */
  async function atTerminal(serve: Serve): Promise<{ readonly pid: number; readonly log: string }> {
    const log = join(serve.folder, 'serve.log');
    const quoted = [
      process.execPath,
      MAIN,
      'serve',
      '--listen',
      '0',
      '--proxy',
      'direct',
      '--log',
      log,
    ]
      .map((word) => `'${word}'`)
      .join(' ');
    serve.spawn(['script', '-qec', quoted, '/dev/null']);
    const pid = await until(() => {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      const [first] = text.split('\n');
      return text.includes('\n') ? (JSON.parse(first ?? '') as { pid: number }).pid : null;
    });
    return { pid, log };
  }

  it('reads the settings again while the terminal is there', async () => {
    await using serve = new Serve();
    const { pid, log } = await atTerminal(serve);
    process.kill(pid, 'SIGHUP');
    await until(() => (readFileSync(log, 'utf8').includes('settings changed') ? true : null));
    process.kill(pid, 'SIGTERM');
    await until(() => (readFileSync(log, 'utf8').includes('"stopped"') ? true : null));
  });

  it('ends it when the terminal has been closed', async () => {
    await using serve = new Serve();
    const { log } = await atTerminal(serve);
    serve.child.kill('SIGKILL');
    await until(() => (readFileSync(log, 'utf8').includes('"stopped"') ? true : null));
    expect(readFileSync(log, 'utf8')).not.toContain('settings changed');
  });
});

describe('sallyport env', () => {
  it('names every authority that is trusted, but for tools that were told already', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const authority = join(serve.folder, 'company.pem');
    const { ca } = createTestCertificates();
    writeFileSync(authority, ca);
    Object.assign(serve.env, { SALLYPORT_CA: authority, GIT_SSL_CAINFO: '/company/git.pem' });
    await serve.start(['--proxy', proxy.url, ...FOR_US]);
    const said = await serve.command('env', '--shell', 'sh');
    const [, bundle = ''] = /^export NODE_EXTRA_CA_CERTS='(.*)'$/m.exec(said) ?? [];
    expect(readFileSync(bundle, 'utf8')).toContain(ca.trim());
    expect(said).toContain(`export PIP_CERT='${bundle}'\n`);
    expect(said).not.toContain('GIT_SSL_CAINFO');
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('says that no serve is running', async () => {
    const serve = new Serve();
    await expect(serve.command('env')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No sallyport serve of yours is running'),
    });
  });
});
