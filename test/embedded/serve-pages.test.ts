// The pages of `sallyport serve`, from a process of its own: what they say after known traffic, and whom they refuse.
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE } from './network.ts';
import { askAs } from './other-program.ts';
import { RawClient } from './raw-client.ts';
import { FOR_US, isRoot, metricsOf, pageOf, Serve, until } from './serve-process.ts';

const LONG_MS = 20_000;
const PAGES = ['/', '/status', '/healthz', '/metrics', '/proxy.pac'];
const NOBODY = 65_534;

const corporate = () => createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });

describe('pages of sallyport serve', { timeout: LONG_MS }, () => {
  it('count requests, sign-ons, tunnels and bytes', async () => {
    await using proxy = await corporate();
    await using origin = await createOrigin();
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, '--warm', '0', ...FOR_US]);
    const before = await metricsOf(port);
    expect(before.get('sallyport_tunnels_total')).toBe(0);

    await using forwarding = await RawClient.to({ host: '127.0.0.1', port });
    for (const count of [1000, 2000, 3000]) {
      expect((await forwarding.ask('GET', `${origin.url}/bytes/${count}`)).body).toHaveLength(
        count,
      );
    }
    expect((await forwarding.ask('GET', `${origin.url}/status/404`)).head.status).toBe(404);
    await using tunnelling = await RawClient.to({ host: '127.0.0.1', port });
    expect((await tunnelling.ask('CONNECT', `127.0.0.1:${origin.port}`)).head.status).toBe(200);
    expect((await tunnelling.ask('GET', '/bytes/500000')).body).toHaveLength(500_000);

    const open = await metricsOf(port);
    expect(open.get('sallyport_requests_total{kind="forward",status="2xx"}')).toBe(3);
    expect(open.get('sallyport_requests_total{kind="forward",status="4xx"}')).toBe(1);
    expect(open.get('sallyport_requests_total{kind="tunnel",status="2xx"}')).toBe(1);
    expect(open.get('sallyport_request_duration_seconds_count{kind="forward"}')).toBe(4);
    expect(open.get('sallyport_tunnels_open')).toBe(1);
    const accepted = 'sallyport_handshakes_total{layer="proxy",scheme="NTLM",outcome="accepted"}';
    expect(open.get(accepted)).toBe(proxy.counts().finalLegs['CORP\\alice']);
    expect(open.get('sallyport_handshake_duration_seconds_count{scheme="NTLM"}')).toBe(
      open.get(accepted),
    );
    expect(open.get('sallyport_upstream_connections_total{action="opened"}')).toBe(
      proxy.counts().connections,
    );
    expect(open.get('sallyport_logon_breakers{state="closed"}')).toBe(1);
    const down = 'sallyport_client_bytes_total{direction="down"}';
    const received = 506_000;
    const grown = (open.get(down) ?? 0) - (before.get(down) ?? 0);
    expect(grown).toBeGreaterThan(received);
    expect(grown).toBeLessThan(received + 20_000);

    tunnelling.socket.destroy();
    await until(async () =>
      (await metricsOf(port)).get('sallyport_tunnels_open') === 0 ? true : null,
    );
    const closed = await metricsOf(port);
    expect(closed.get('sallyport_tunnels_total')).toBe(1);
    expect(closed.get(down)).toBeGreaterThanOrEqual(open.get(down) ?? 0);
    const names = [...closed.keys()].join('\n');
    expect(names).not.toMatch(/127\.0\.0\.1|alice|CORP/);
  });

  it('tell of a password that was refused, and of failures by their code', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [{ ...ALICE, password: 'another' }],
    });
    await using serve = new Serve();
    const port = await serve.start(['--proxy', proxy.url, ...FOR_US], { stderr: 'ignore' });
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    expect((await client.ask('GET', 'http://origin.test/')).head.status).toBe(502);
    expect((await client.ask('CONNECT', 'origin.test:443')).head.status).toBe(502);

    const metrics = await metricsOf(port);
    expect(metrics.get('sallyport_logon_breakers{state="open"}')).toBe(1);
    expect(
      metrics.get('sallyport_handshakes_total{layer="proxy",scheme="NTLM",outcome="refused"}'),
    ).toBe(1);
    expect(metrics.get('sallyport_request_failures_total{error="CREDENTIALS_REFUSED"}')).toBe(2);
    const status = (await pageOf(port, '/status')).text;
    expect(status).toContain('corp\\alice');
    expect(status).toContain('refused: nothing is sent until the password changes');
    expect(status).not.toContain(ALICE.password);
    expect(proxy.counts().finalLegs['CORP\\alice']).toBe(1);
  });

  it('lead a browser here, but for what the bypass list names', async () => {
    await using proxy = await corporate();
    await using serve = new Serve();
    const port = await serve.start([
      '--proxy',
      proxy.url,
      '--no-proxy',
      '.corp.test, 10.0.0.0/8',
      ...FOR_US,
    ]);
    const { text, head } = await pageOf(port, '/proxy.pac');
    expect(head).toContain('"application/x-ns-proxy-autoconfig"');
    const here = createContext({});
    runInContext(text, here);
    const find = (url: string) =>
      runInContext(
        `FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(new URL(url).hostname)})`,
        here,
      );
    expect(find('https://example.com/')).toBe(`PROXY 127.0.0.1:${port}`);
    expect(find('ws://example.com/')).toBe(`PROXY 127.0.0.1:${port}`);
    expect(find('https://www.corp.test/')).toBe('DIRECT');
    expect(find('http://10.1.2.3:8080/')).toBe('DIRECT');
    expect(find('http://localhost:8080/')).toBe('DIRECT');
  });

  it.each(PAGES)('refuse %s to another site and under another name', async (path) => {
    await using serve = new Serve();
    const port = await serve.start(['--proxy', 'http://127.0.0.1:9', ...FOR_US], {
      stderr: 'ignore',
    });
    const ask = async (...headers: string[]) => {
      await using client = await RawClient.to({ host: '127.0.0.1', port });
      client.send([`GET ${path} HTTP/1.1`, ...headers]);
      return (await client.response('GET')).head.status;
    };
    const own = `Host: 127.0.0.1:${port}`;
    expect(await ask(own)).toBe(200);
    expect(await ask(`Host: localhost:${port}`)).toBe(200);
    expect(await ask(`Host: evil.test:${port}`)).toBe(403);
    expect(await ask(`Host: 127.0.0.1:${port + 1}`)).toBe(403);
    expect(await ask(own, 'Origin: http://evil.test')).toBe(403);
    expect(await ask(own, 'Origin: null')).toBe(403);
    expect(await ask(own, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors')).toBe(403);
    const byLink = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
    expect(await ask(own, 'Sec-Fetch-Site: cross-site', ...byLink)).toBe(200);
  });

  it('want the token where programs do, and take it as web servers do', async () => {
    await using serve = new Serve();
    const port = await serve.start(['--proxy', 'http://127.0.0.1:9', '--token'], {
      stderr: 'ignore',
    });
    const [, token] = /x:([\w-]+)@/.exec(await serve.command('env')) ?? [];
    const credentials = (word: string) => `Basic ${Buffer.from(`x:${word}`).toString('base64')}`;
    for (const path of PAGES) {
      const refused = await pageOf(port, path);
      expect(refused.status).toBe(401);
      expect(refused.head).toContain('WWW-Authenticate');
      expect((await pageOf(port, path, [`Authorization: ${credentials('wrong')}`])).status).toBe(
        401,
      );
      const answer = await pageOf(port, path, [`Authorization: ${credentials(token ?? '')}`]);
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain(token);
    }
  });

  it.skipIf(!isRoot)('are for no other user of the machine (wants root)', async () => {
    await using serve = new Serve();
    const port = await serve.start(['--proxy', 'http://127.0.0.1:9', '--same-user'], {
      stderr: 'ignore',
    });
    for (const path of PAGES) {
      const own = [`Host: 127.0.0.1:${port}`];
      const outcome = await askAs({ uid: NOBODY }, { host: '127.0.0.1', port }, path, own);
      expect(outcome.status).toBe(401);
    }
  });
});
