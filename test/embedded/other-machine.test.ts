// The port opened to others, as WSL2 and Docker need it: a second network namespace stands for the other machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../src/server/local-proxy.ts';
import { createProxyServer } from '../../src/server/local-proxy.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, clientOfAlice } from './network.ts';
import type { Outcome } from './other-program.ts';
import { askAs, bearing } from './other-program.ts';

const OTHER = `sallyport-${process.pid}`;
const LINKS = [`sp${process.pid}a`, `sp${process.pid}b`] as const;
const HERE = '10.213.77.1';
const HERE6 = 'fd21:3077::1';
const ADDRESSES = [HERE, HERE6];
const NETWORK = '10.213.77.0/30';
const NETWORK6 = 'fd21:3077::/64';

const RECIPE = new URL('../../docs/recipes/docker.md', import.meta.url);
/** Docker's bridge becomes the one that is here. */
const rewritten = (page: string): string =>
  page.replaceAll('172.17.0.1', HERE).replaceAll('172.17.0.0/16', NETWORK);

/** One that is not spelled as what it is: on most machines their own name. */
const LOOPBACK_NAME = readFileSync('/etc/hosts', 'utf8')
  .split('\n')
  .filter((line) => /^127\./.test(line))
  .flatMap((line) => line.split('#', 1)[0]?.trim().split(/\s+/).slice(1) ?? [])
  .find((name) => !/localhost/.test(name));

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const hasNamespaces =
  process.getuid?.() === 0 && spawnSync('ip', ['netns', 'add', OTHER]).status === 0;

describe.skipIf(!hasNamespaces)('from another machine (wants root and ip netns)', () => {
  beforeAll(() => {
    const [near, far] = LINKS;
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', OTHER);
    ip('addr', 'add', `${HERE}/30`, 'dev', near);
    ip('addr', 'add', `${HERE6}/64`, 'dev', near, 'nodad');
    ip('link', 'set', near, 'up');
    ip('-n', OTHER, 'addr', 'add', '10.213.77.2/30', 'dev', far);
    ip('-n', OTHER, 'addr', 'add', 'fd21:3077::2/64', 'dev', far, 'nodad');
    ip('-n', OTHER, 'link', 'set', far, 'up');
  });

  afterAll(() => {
    ip('netns', 'del', OTHER);
  });

  interface Stage {
    readonly token: string | null;
    readonly ask: (host: string, ...headers: string[]) => Promise<Outcome>;
    readonly askHere: (host: string, ...headers: string[]) => Promise<Outcome>;
    readonly upstream: () => number;
  }

  async function onStage(
    options: Omit<ProxyServerOptions, 'upstream'>,
    play: (stage: Stage) => Promise<void>,
  ): Promise<void> {
    await using origin = await createOrigin({ host: HERE });
    await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using upstream = await clientOfAlice({ proxy: corporate.url });
    await using proxy = await createProxyServer({ upstream, ...options });
    const asker =
      (whence: { namespace?: string }) =>
      (host: string, ...headers: string[]) =>
        askAs(whence, { host, port: proxy.port }, `${origin.url}/bytes/10`, headers);
    await play({
      token: proxy.token,
      ask: asker({ namespace: OTHER }),
      askHere: asker({}),
      upstream: () => corporate.counts().connections,
    });
  }

  it.each([
    [HERE, NETWORK],
    [HERE6, NETWORK6],
  ])('the token is admitted by %s, from a network that is named', async (host, network) => {
    await onStage({ host, allow: [network] }, async ({ ask, token, upstream }) => {
      const refused = await ask(host);
      expect(refused.status).toBe(407);
      expect(refused.text).toContain('a user this system does not tell');
      expect(await ask(host, bearing('wrong'))).toMatchObject({ status: 407 });
      expect(upstream()).toBe(0);
      expect(await ask(host, bearing(token))).toMatchObject({ status: 200 });
    });
  });

  it('what listens on loopback here stays closed to it, token or not', async () => {
    await using service = await createOrigin();
    await using upstream = await clientOfAlice({ proxy: 'direct' });
    await using proxy = await createProxyServer({ upstream, host: HERE, allow: [NETWORK] });
    const place = { host: HERE, port: proxy.port };
    for (const host of ['127.0.0.1', 'localhost', '127.1']) {
      const url = `http://${host}:${service.port}/bytes/10`;
      const asked = await askAs({ namespace: OTHER }, place, url, [bearing(proxy.token)]);
      expect(asked).toMatchObject({ status: 403 });
      expect(asked.text).toContain('closed to other machines');
    }
    const own = { host: '127.0.0.1', port: proxy.port };
    const asked = await askAs({}, own, `${service.url}/bytes/10`, [bearing(proxy.token)]);
    expect(asked).toMatchObject({ status: 200 });
  });

  it.skipIf(LOOPBACK_NAME === undefined)(
    `a name that leads to loopback stays closed, too (${LOOPBACK_NAME ?? '/etc/hosts has none'})`,
    async () => {
      await using service = await createOrigin();
      await using elsewhere = await createOrigin({ host: HERE });
      await using upstream = await clientOfAlice({ proxy: 'direct' });
      await using proxy = await createProxyServer({ upstream, host: HERE, allow: [NETWORK] });
      const place = { host: HERE, port: proxy.port };
      const asking = (target: string, ...more: string[]) =>
        askAs({ namespace: OTHER }, place, target, [bearing(proxy.token), ...more]);
      const url = `http://${LOOPBACK_NAME}:${service.port}/bytes/10`;
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
      for (const asked of [await asking(url), await asking(url, ...upgrade)]) {
        expect(asked).toMatchObject({ status: 403 });
        expect(asked.text).toContain('error=destination_ip_prohibited');
      }
      expect(service.log).toEqual([]);
      expect(await asking(`${elsewhere.url}/bytes/10`)).toMatchObject({ status: 200 });
      const own = { host: '127.0.0.1', port: proxy.port };
      expect(await askAs({}, own, url, [bearing(proxy.token)])).toMatchObject({ status: 200 });
    },
  );

  it('the same user of another machine is nobody here', async () => {
    const options = { host: HERE, allow: [NETWORK], sameUser: true, allowUsers: ['0'] };
    await onStage(options, async ({ ask, askHere, upstream }) => {
      expect(await ask(HERE)).toMatchObject({ status: 407 });
      // This machine's own programs, too, when they come by that address.
      expect(await askHere(HERE)).toMatchObject({ status: 407 });
      expect(upstream()).toBe(0);
      expect(await askHere('127.0.0.1')).toMatchObject({ status: 200 });
      expect(await askHere('::1')).toMatchObject({ status: 200 });
    });
  });

  it.each([
    [HERE, '10.213.77.1/32'],
    ['0.0.0.0', '192.168.0.0/16'],
    ['::', 'fd99::/16'],
  ])('listening on %s, others than %s are dropped', async (host, network) => {
    await onStage({ host, allow: [network] }, async ({ ask, askHere, token, upstream }) => {
      for (const address of host === '::' ? ADDRESSES : [HERE]) {
        const dropped = await ask(address, bearing(token));
        expect(dropped).toMatchObject({ status: 0, text: '' });
      }
      expect(upstream()).toBe(0);
      expect(await askHere('127.0.0.1', bearing(token))).toMatchObject({ status: 200 });
      expect(await askHere('::1', bearing(token))).toMatchObject({ status: 200 });
    });
  });

  it('IPv4 is known behind a socket of IPv6', async () => {
    const options = { host: '::', allow: [NETWORK] };
    await onStage(options, async ({ ask, token }) => {
      expect(await ask(HERE, bearing(token))).toMatchObject({ status: 200 });
      expect(await ask(HERE6, bearing(token))).toMatchObject({ status: 0 });
    });
  });

  it('run opens its port as the recipe for Docker says', async () => {
    await using origin = await createOrigin({ host: HERE });
    const url = `${origin.url}/bytes/10`;
    const asker = `
      const { request } = require('node:http');
      const proxy = new URL(process.argv[1]);
      request({ host: proxy.hostname, port: proxy.port, path: '${url}', headers: {
        'Proxy-Authorization': 'Basic ' + btoa('x:' + proxy.password) } },
        ({ statusCode }) => { console.log(statusCode); process.exit(); }).end();`;
    const page = rewritten(readFileSync(RECIPE, 'utf8'));
    const [, options = ''] = /^sallyport run (--listen \S+ --allow \S+)$/m.exec(page) ?? [];
    const [proxy = ''] = /^PROXY=.*$/m.exec(page) ?? [];
    expect([options, proxy].map((line) => line.includes(HERE))).toEqual([true, true]);
    const script = `${proxy}; exec ip netns exec ${OTHER} '${process.execPath}' -e "$0" "$PROXY"`;
    const words = ['--proxy', 'direct', ...options.split(' '), '--', 'sh', '-c', script, asker];
    const run = ['run', ...words];
    const { code, stdout, stderr } = await sallyport(run);
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({
      code: 0,
      stdout: '200\n',
      stderr: '',
    });
  });

  it('nobody gets through to a port that listens on loopback alone', async () => {
    await onStage({}, async ({ ask, token }) => {
      for (const address of ADDRESSES) {
        expect(await ask(address, bearing(token))).toMatchObject({ failure: 'ECONNREFUSED' });
      }
    });
  });
});

describe('run --listen', () => {
  it.each([
    [['--listen', '192.0.2.1:3128'], '--listen 192.0.2.1 needs --allow'],
    [['--listen', 'proxy.example:3128'], '"proxy.example:3128" is no address with a port'],
    [['--allow', '10.0.0.0/8'], '--allow does nothing'],
    [['--allow-user', 'no such user'], 'there is no user "no"'],
  ])('refuses %j before the program starts', async (options, message) => {
    const run = ['run', '--proxy', 'direct', ...options, '--', process.execPath, '-p', '"ran"'];
    const { code, stdout, stderr } = await sallyport(run);
    expect([code, stdout.toString()]).toEqual([2, '']);
    expect(stderr).toContain(process.platform === 'linux' ? message : '--');
  });
});

describe('createProxyServer() with an address for others', () => {
  it.each([
    [{ host: '192.0.2.1' }, /--listen 192\.0\.2\.1 needs --allow/],
    [{ host: '192.0.2.1', allow: ['10.0.0.0/8'], token: null }, /needs a token/],
    [{ host: '192.0.2.1', allow: ['0.0.0.0/0'] }, /is everybody/],
    [{ host: '192.0.2.1', allow: ['10.0.0.0/8'] }, /EADDRNOTAVAIL/],
  ])('refuses %o', async (options, message) => {
    await using upstream = await clientOfAlice({ proxy: 'direct' });
    await expect(createProxyServer({ upstream, ...options })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it.each(['127.0.0.1', '::1'])('refuses a port that is taken on %s', async (host) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    await using upstream = await clientOfAlice({ proxy: 'direct' });
    const { port } = server.address() as AddressInfo;
    await expect(createProxyServer({ upstream, port })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('EADDRINUSE'),
    });
    await new Promise((resolve) => server.close(resolve));
  });
});
