// `sallyport doctor`: what it finds at proxies that work and at those that do not, how it ends, what it costs.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/doctor/diagnose.ts';
import type { Finding } from '../../src/doctor/findings.ts';
import type { Verdict } from '../../src/doctor/verdict.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import type { CommandOptions } from './command.ts';
import { sallyport } from './command.ts';
import { ALICE, CERTIFICATES, SCRATCH } from './network.ts';
import { createRawServer } from './raw-server.ts';

const AS_ALICE = ['--user', 'CORP\\alice'];
/** The ticket of whoever runs the tests, and its domain, are left alone. */
const AS_NOBODY = ['--no-system-sign-on'];
const RIGHT = { env: { SALLYPORT_PASSWORD: ALICE.password } };
const WRONG = { env: { SALLYPORT_PASSWORD: 'Wr0ng-Secret' } };

interface JsonReport {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
}

async function doctor(args: readonly string[], options: CommandOptions = {}) {
  const { code, stdout, stderr } = await sallyport(['doctor', '--json', ...args], options);
  const text = stdout.toString();
  const report = JSON.parse(text) as JsonReport;
  const at = (id: Finding['id']) => report.findings.find((one) => one.id === id);
  return { code, text, stderr, at, ...report };
}

const statuses = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ id, status }) => [id, status]));

/** A port nobody listens on. */
async function closedPort(): Promise<number> {
  const server = await createRawServer(() => undefined);
  await server[Symbol.asyncDispose]();
  return server.port;
}

describe('sallyport doctor at a proxy that wants NTLM', () => {
  it('works with the right password: each layer, the legs, one sign-on', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM', 'Basic'], users: [ALICE] });
    await using origin = await createOrigin();
    const url = origin.url.replace('http:', 'https:');
    const found = await doctor([...AS_ALICE, '--proxy', proxy.url, `${url}/?key=private`], RIGHT);
    expect([found.code, found.ok, found.verdict.works]).toEqual([0, true, true]);
    expect(statuses(found.findings)).toMatchObject({
      ...{ platform: 'ok', route: 'ok', 'proxy-address': 'note', 'proxy-tcp': 'ok' },
      ...{ 'proxy-tls': 'skipped', 'proxy-offers': 'ok', 'proxy-keeps-connection': 'ok' },
      ...{ identity: 'ok', 'sign-on-rule': 'ok', handshake: 'ok' },
    });
    expect(found.at('proxy-offers')?.data?.['offers']).toEqual(['NTLM', 'Basic']);
    expect(found.at('handshake')).toMatchObject({
      detail: expect.arrayContaining([
        expect.stringMatching(/^> with NTLM credentials \(40 bytes\)$/),
        expect.stringMatching(/^< 407, offers NTLM \(\d{2,3} bytes\)$/),
        expect.stringMatching(/^> with NTLM credentials \(\d{3} bytes\)$/),
        '< 200',
      ]),
      data: { scheme: 'NTLM', identity: 'CORP\\alice', legs: 3 },
    });
    expect(proxy.counts()).toMatchObject({ finalLegs: { 'CORP\\alice': 1 }, tunnels: 1 });
    expect(found.text).not.toMatch(/Alice-Secret1|TlRMTVNTU|private/);
  });

  it('asks as get does for an http URL: a forwarded request', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    const found = await doctor([...AS_ALICE, '--proxy', proxy.url, `${origin.url}/bytes/1`], RIGHT);
    expect([found.code, found.at('handshake')?.status]).toEqual([0, 'ok']);
    expect(new Set(proxy.log.map(({ method }) => method))).toEqual(new Set(['HEAD']));
  });

  it('sends a wrong password once, and not again in the next run', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const memory = { SALLYPORT_STATE_DIR: mkdtempSync(join(SCRATCH, 'doctor-')) };
    const args = [...AS_ALICE, '--proxy', proxy.url, 'https://127.0.0.1:9/'];
    for (const turn of [1, 2]) {
      const found = await doctor(args, { env: { ...WRONG.env, ...memory } });
      expect([turn, found.code, found.verdict]).toMatchObject([
        ...[turn, 4],
        { works: false, code: 'CREDENTIALS_REFUSED', blame: 'credentials' },
      ]);
      expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
      expect(found.text).not.toMatch(/Wr0ng-Secret|TlRMTVNTU/);
    }
  });

  it('tells of a missing password, and tries nothing', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const found = await doctor([...AS_ALICE, '--proxy', proxy.url, 'https://127.0.0.1:9/']);
    expect([found.code, found.verdict.code]).toEqual([4, 'CREDENTIALS_MISSING']);
    expect(found.at('identity')?.title).toBe('There is no password for CORP\\alice');
    expect(proxy.counts().handshakes).toBe(0);
  });

  it('says that a refused address is not a refused sign-on', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      blocked: () => true,
    });
    const found = await doctor([...AS_ALICE, '--proxy', proxy.url, 'https://127.0.0.1:9/'], RIGHT);
    expect([found.code, found.verdict.code]).toEqual([5, 'PROXY_REFUSED']);
    expect(found.verdict.title).toContain('accepted CORP\\alice, but refused');
  });

  it('tells that the connection is closed behind the 407, which stops nothing', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['close-on-first-407'],
    });
    await using origin = await createOrigin();
    const found = await doctor([...AS_ALICE, '--proxy', proxy.url, `${origin.url}/`], RIGHT);
    expect([found.code, found.at('proxy-keeps-connection')?.status]).toEqual([0, 'note']);
  });
});

describe('sallyport doctor at other proxies', () => {
  it('names the command that allows Basic; the password goes nowhere before', async () => {
    const user = { name: 'alice', password: ALICE.password };
    await using proxy = await createCorporateProxy({ schemes: ['Basic'], users: [user] });
    await using origin = await createOrigin();
    const args = ['--user', 'alice', '--proxy', proxy.url, `${origin.url}/?key=private`];
    const refused = await doctor(args, RIGHT);
    expect([refused.code, refused.verdict.code]).toEqual([5, 'BASIC_NOT_ALLOWED']);
    expect(refused.verdict.next).toContain(
      `sallyport doctor --auth negotiate,ntlm,digest,basic --allow-basic-http --json --user alice --proxy ${proxy.url}`,
    );
    expect(refused.text).not.toContain('private');
    expect(proxy.log.every(({ scheme }) => scheme === null)).toBe(true);

    const allowed = await doctor(['--auth', 'basic', '--allow-basic-http', ...args], RIGHT);
    expect([allowed.code, allowed.at('handshake')?.data?.['scheme']]).toEqual([0, 'Basic']);
    expect(allowed.text).not.toMatch(new RegExp(`${ALICE.password}|${btoa('alice:')}`));
  });

  it('passes one that asks for nothing', async () => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    await using origin = await createOrigin();
    const found = await doctor([...AS_NOBODY, '--proxy', proxy.url, `${origin.url}/`]);
    expect([found.code, found.verdict.title]).toEqual([
      0,
      expect.stringContaining('without sign-on'),
    ]);
  });

  it('tells why TLS is not trusted and who issued the certificate, and goes on', async () => {
    const { key, cert } = CERTIFICATES;
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      tls: { key, cert },
    });
    const args = [...AS_ALICE, '--proxy', proxy.url, 'https://127.0.0.1:9/'];
    const stranger = await doctor(args, { env: { ...RIGHT.env, SALLYPORT_CA: '' } });
    expect([stranger.code, stranger.verdict.code]).toEqual([3, 'PROXY_TLS_FAILED']);
    expect(stranger.at('proxy-tls')).toMatchObject({
      status: 'problem',
      title: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
      data: { trusted: false, issuer: expect.any(String), validTo: expect.any(String) },
    });
    expect(statuses(stranger.findings)).toMatchObject({
      ...{ 'proxy-offers': 'skipped', identity: 'ok', handshake: 'skipped' },
    });
    expect(proxy.counts().requests).toBe(0);

    const friend = await doctor(args, RIGHT);
    expect(friend.at('proxy-tls')).toMatchObject({
      status: 'ok',
      data: { protocol: 'TLSv1.3', trusted: true },
    });
  });
});

describe('sallyport doctor about a forwarded request', () => {
  it('leaves open whether proxy or web server forbids it', async () => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    const found = await doctor([...AS_NOBODY, '--proxy', proxy.url, 'http://127.0.0.1:1/']);
    expect([found.code, found.verdict]).toMatchObject([
      7,
      { code: 'HTTP_STATUS', turn: 'the people who run the web server, or the proxy' },
    ]);
  });
});

describe('sallyport doctor where there is no proxy', () => {
  it('knows what does not speak HTTP', async () => {
    await using server = await createRawServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const found = await doctor([...AS_NOBODY, '--proxy', server.url]);
    expect([found.code, found.verdict.code]).toEqual([6, 'PROXY_GARBLED']);
    expect(statuses(found.findings)).toMatchObject({
      ...{ 'proxy-tcp': 'ok', 'proxy-offers': 'problem', handshake: 'skipped' },
    });
  });

  it('takes a web server for what it is', async () => {
    const answer = 'HTTP/1.1 405 No\r\nServer: \u001b[31mred\r\nContent-Length: 0\r\n\r\n';
    await using server = await createRawServer((socket) => {
      socket.on('data', () => socket.write(answer));
    });
    const found = await doctor([...AS_NOBODY, '--proxy', server.url]);
    expect([found.code, found.verdict]).toMatchObject([
      5,
      { code: 'PROXY_REFUSED', next: expect.stringContaining('A web server answers like this') },
    ]);
    const { stdout } = await sallyport(['doctor', ...AS_NOBODY, '--proxy', server.url]);
    expect(stdout.toString()).toContain('Server: ?[31mred');
  });

  it('tells of a closed port, and looks at the sign-on all the same', async () => {
    const found = await doctor(
      [...AS_ALICE, '--proxy', `http://127.0.0.1:${await closedPort()}`],
      RIGHT,
    );
    expect([found.code, found.verdict.code]).toEqual([3, 'PROXY_UNREACHABLE']);
    expect(statuses(found.findings)).toMatchObject({
      ...{
        'proxy-tcp': 'problem',
        'proxy-offers': 'skipped',
        identity: 'ok',
        handshake: 'skipped',
      },
    });
  });

  it('does not wait for a silent port for ever', async () => {
    await using server = await createRawServer((socket) => socket.resume());
    const settings = await resolveSettings({
      proxy: server.url,
      systemSignOn: false,
      handshakeTimeoutMs: 200,
      env: { HOME: SCRATCH },
    });
    const started = performance.now();
    const { findings, verdict } = await diagnose(new URL('https://example.com/'), settings, {
      isAsked: false,
    });
    expect(verdict).toMatchObject({ works: false, code: 'TIMEOUT', outcome: 'network' });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(statuses(findings)).toMatchObject({ 'proxy-tcp': 'ok', 'proxy-offers': 'problem' });
  });

  it('contacts nobody when the route is direct and no URL was asked about', async () => {
    const found = await doctor(['--proxy', 'direct']);
    expect([found.code, found.ok, found.verdict.works]).toEqual([0, true, null]);
    expect(statuses(found.findings)).toMatchObject({ route: 'ok', handshake: 'skipped' });
  });

  it('tries a direct route to a URL that was asked about', async () => {
    await using origin = await createOrigin();
    const good = await doctor(['--proxy', 'direct', `${origin.url}/`]);
    const bad = await doctor(['--proxy', 'direct', `http://127.0.0.1:${await closedPort()}/`]);
    expect([good.code, good.verdict.works]).toEqual([0, true]);
    expect([bad.code, bad.verdict.code]).toEqual([6, 'CONNECT_FAILED']);
  });
});

describe('sallyport doctor with settings that are wrong', () => {
  it('tells which proxy URL cannot be understood, and never its text', async () => {
    const env = { HTTPS_PROXY: 'http://alice:Private1@proxy.example:no' };
    const found = await doctor([], { env });
    expect([found.code, found.verdict]).toMatchObject([
      2,
      { code: 'PROXY_URL_INVALID', title: expect.stringContaining('HTTPS_PROXY') },
    ]);
    expect(statuses(found.findings)).toMatchObject({ route: 'problem', platform: 'ok' });
    expect(found.text + found.stderr).not.toContain('Private1');
  });

  it('does not say where the configuration file lies', async () => {
    const folder = mkdtempSync(join(SCRATCH, 'with blank '));
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify({ proxy: `http://127.0.0.1:${await closedPort()}` }));
    const found = await doctor([...AS_NOBODY, '--config', file]);
    expect(found.at('route')?.title).toMatch(/named by the configuration file: proxy$/);
    expect(found.text).not.toContain(SCRATCH);
  });

  it('ends with 2 for an address that is none', async () => {
    const { code, stdout, stderr } = await sallyport(['doctor', 'example.com']);
    expect([code, stdout.toString()]).toEqual([2, '']);
    expect(stderr).toContain('Write it in full');
  });
});
