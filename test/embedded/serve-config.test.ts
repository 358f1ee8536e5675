// The configuration file of `sallyport serve` while it runs: what is taken, what is not, and that no tunnel notices.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE } from './network.ts';
import { RawClient } from './raw-client.ts';
import { isRoot, pageOf, Serve, until } from './serve-process.ts';

const LONG_MS = 20_000;
/** Root's programs are admitted by name only. */
const OWN = isRoot ? { sameUser: true } : {};

const corporate = () => createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });

/** Waits for a line of the log that holds this, behind the lines that were there before. */
async function logged(log: string, words: string, after = 0): Promise<string> {
  return await until(() => {
    const lines = readFileSync(log, 'utf8').split('\n').slice(after);
    return lines.find((line) => line.includes(words)) ?? null;
  });
}

const countLines = (log: string): number => readFileSync(log, 'utf8').split('\n').length - 1;

describe('the configuration file of sallyport serve', { timeout: LONG_MS }, () => {
  it('is taken when it changes, and a tunnel goes on', async () => {
    await using first = await corporate();
    await using second = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    const shared = { ...OWN, log, logLevel: 'info' };
    serve.configure({ proxy: first.url, serve: shared });
    const port = await serve.start([]);
    await using tunnel = await RawClient.to({ host: '127.0.0.1', port });
    await tunnel.ask('CONNECT', `127.0.0.1:${origin.port}`);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('GET', `${origin.url}/bytes/5`);
    const [atFirst, atSecond] = [first.counts().requests, second.counts().requests];
    expect(atSecond).toBe(0);

    serve.configure({
      proxy: second.url,
      serve: { ...shared, logLevel: 'debug', allowUser: ['1'] },
    });
    await logged(log, 'settings changed');
    expect(await logged(log, 'from the next start on')).toContain('"another allowUser counts');
    expect((await client.ask('GET', `${origin.url}/bytes/6`)).body).toHaveLength(6);
    expect(first.counts().requests).toBe(atFirst);
    expect(second.counts().requests).toBeGreaterThan(0);
    await logged(log, '"msg":"request"');
    expect((await tunnel.ask('GET', '/bytes/7')).body).toHaveLength(7);
    expect((await pageOf(port, '/status')).text).toContain(second.url);
  });

  it.each([
    ['that is no JSON', '{"proxy": ', 'config.json:1:'],
    ['with a key that is not known', '{"prxoy": "direct"}', 'Did you mean \\"proxy\\"?'],
    [
      'with a value of another type',
      '{"serve": {"warm": "many"}}',
      '\\"serve.warm\\" is no whole number',
    ],
    ['with a proxy that is none', '{"proxy": "ftp://x"}', 'settings not changed'],
    [
      'with a list that cannot be understood',
      '{"proxy": "http://a.test:1", "noProxy": "a b/c"}',
      'settings not changed',
    ],
  ])('keeps the settings of before, and says why, at a file %s', async (_, content, words) => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    serve.configure({ proxy: proxy.url, serve: { ...OWN, log } });
    const port = await serve.start([]);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('GET', `${origin.url}/bytes/5`);

    const before = countLines(log);
    serve.configure(content);
    const line = await logged(log, 'settings not changed', before);
    expect(line).toContain(words);
    expect(JSON.parse(line)).toMatchObject({ level: 'error' });
    expect((await client.ask('GET', `${origin.url}/bytes/5`)).head.status).toBe(200);
    expect((await pageOf(port, '/status')).text).toContain('its last change was not taken');

    serve.configure({ proxy: proxy.url, serve: { ...OWN, log, warm: 1 } });
    await logged(log, 'settings changed', before);
    expect((await pageOf(port, '/status')).text).toContain('read again');
  });

  it('lets requests that wait go on with the settings they began with', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    serve.configure({ proxy: proxy.url, serve: { ...OWN, log } });
    const port = await serve.start([]);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    const answer = client.ask('GET', `${origin.url}/bytes/20000000`);
    serve.configure({ proxy: 'http://127.0.0.1:9', serve: { ...OWN, log } });
    await logged(log, 'settings changed');
    expect((await answer).body).toHaveLength(20_000_000);
  });

  it('is read again at SIGHUP, and SIGHUP does not end it', async () => {
    await using proxy = await corporate();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    serve.configure({ proxy: proxy.url, serve: { ...OWN, log } });
    const port = await serve.start([]);
    serve.child.kill('SIGHUP');
    await logged(log, 'settings changed');
    expect((await pageOf(port, '/healthz')).text).toBe('ok\n');
  });

  it('keeps a password from standard input over a change', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const log = join(serve.folder, 'serve.log');
    Object.assign(serve.env, { SALLYPORT_USER: '', SALLYPORT_PASSWORD: '' });
    serve.configure({ proxy: proxy.url, user: 'CORP\\alice', serve: { ...OWN, log } });
    const port = await serve.start(['--password-stdin'], { input: `${ALICE.password}\n` });
    serve.configure({ proxy: proxy.url, user: 'CORP\\alice', serve: { ...OWN, log, warm: 0 } });
    await logged(log, 'settings changed');
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    expect((await client.ask('GET', `${origin.url}/bytes/5`)).head.status).toBe(200);
    expect(readFileSync(log, 'utf8')).not.toContain(ALICE.password);
  });

  it('says how long tunnels may go on', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    serve.configure({ proxy: proxy.url, serve: { ...OWN, grace: 0 } });
    const port = await serve.start([], { stderr: 'ignore' });
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('CONNECT', `127.0.0.1:${origin.port}`);
    serve.child.kill('SIGTERM');
    expect(await serve.ended()).toBe(0);
  });

  it('is not looked for where it was started', async () => {
    await using serve = new Serve();
    execFileSync('sh', ['-c', 'printf "{" > config.json; printf "{" > sallyport.json'], {
      cwd: serve.folder,
    });
    const args = ['-c', 'cd "$1" && shift && exec "$@"', 'sh', serve.folder];
    const port = await serve.start(['--proxy', 'direct', ...(isRoot ? ['--same-user'] : [])], {
      stderr: 'ignore',
      under: ['sh', ...args],
    });
    expect((await pageOf(port, '/status')).text).toContain('<th>configuration</th><td>none</td>');
  });
});
