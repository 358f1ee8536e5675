// Signing on through the engine against the strict acceptor: forms, scheme changes, refusals, reuse.
import { describe, expect, it } from 'vitest';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error) => (isSallyportError(error) ? error.code : String(error)),
  );

describe('Negotiate carrying NTLM', () => {
  it.each([
    ['raw', { raw: true, wrapped: false }, 'auto', 3],
    ['wrapped, after raw was refused', { raw: false, wrapped: true }, 'auto', 4],
    ['wrapped at once', { raw: true, wrapped: true }, 'spnego', 3],
    ['restarted by request-mic', { raw: false, wrapped: true, requestMic: true }, 'spnego', 4],
  ] as const)('is accepted %s', async (_claim, negotiate, negotiateForm, requests) => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate'],
      users: [ALICE],
      negotiate,
    });
    await using origin = await createOrigin({ tls: CERTIFICATES });
    await using client = await clientOfAlice({ proxy: proxy.url, negotiateForm });
    const response = await client.request(`${origin.url}/bytes/10`);
    expect(await readAll(response.body)).toHaveLength(10);
    expect(response).toMatchObject({
      scheme: 'Negotiate',
      identity: 'CORP\\alice',
      legs: requests,
    });
    expect(proxy.counts()).toMatchObject({ requests, finalLegs: { 'CORP\\alice': 1 } });
  });

  it('gives up on a proxy that takes Kerberos only, and says so', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate'],
      users: [ALICE],
      negotiate: { raw: false, wrapped: false },
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const failure = client.openTunnel('127.0.0.1:9');
    await expect(failure).rejects.toMatchObject({ code: 'KERBEROS_ONLY' });
    await expect(failure).rejects.toThrow(/127\.0\.0\.1:\d+: the proxy offers only Kerberos/);
    expect(proxy.counts().finalLegs).toEqual({});
  });

  it('is set aside for NTLM, and the next request begins with NTLM', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate', 'NTLM'],
      users: [ALICE],
      negotiate: { raw: false, wrapped: false },
    });
    await using origin = await createOrigin({ tls: CERTIFICATES });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const first = await client.request(`${origin.url}/bytes/1`);
    const second = await client.request(`${origin.url}/bytes/1`);
    expect([first.scheme, first.connections, first.legs]).toEqual(['NTLM', 2, 4]);
    expect([second.scheme, second.connections, second.legs]).toEqual(['NTLM', 1, 2]);
    await Promise.all([readAll(first.body), readAll(second.body)]);
  });
});

describe('a proxy behind TLS', () => {
  it.each(['http', 'https'] as const)(
    'gets the channel binding it demands, %s target',
    async (target) => {
      await using proxy = await createCorporateProxy({
        schemes: ['NTLM'],
        users: [ALICE],
        tls: CERTIFICATES,
        requireChannelBinding: true,
      });
      await using origin = await createOrigin(target === 'https' ? { tls: CERTIFICATES } : {});
      await using client = await clientOfAlice({ proxy: proxy.url });
      const response = await client.request(`${origin.url}/bytes/70000`);
      expect(await readAll(response.body)).toHaveLength(70_000);
      expect(proxy.counts()).toMatchObject({ refused: 0, finalLegs: { 'CORP\\alice': 1 } });
    },
  );

  it('is not spoken to when its certificate is unknown', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      tls: CERTIFICATES,
    });
    await using client = await clientOfAlice({
      proxy: proxy.url,
      ca: '/etc/ssl/certs/ca-certificates.crt',
    });
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toMatchObject({
      code: 'PROXY_TLS_FAILED',
      hint: expect.stringContaining('--ca'),
    });
    expect(proxy.counts().requests).toBe(0);
  });

  it('gets Basic when that is allowed', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Basic'],
      users: [{ name: 'alice', password: ALICE.password }],
      tls: CERTIFICATES,
    });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url, user: 'alice', auth: 'basic' });
    const response = await client.request(`${origin.url}/bytes/5`);
    expect(await readAll(response.body)).toHaveLength(5);
    expect(response.scheme).toBe('Basic');
  });
});

describe('Basic in clear', () => {
  it('is refused with the options that would allow it, and never sent', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['Basic'], users: [ALICE] });
    await using client = await clientOfAlice({ proxy: proxy.url });
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toMatchObject({
      code: 'BASIC_NOT_ALLOWED',
      remedy: { auth: 'negotiate,ntlm,digest,basic', allowBasicHttp: true },
    });
    expect(proxy.log.every(({ scheme }) => scheme === null)).toBe(true);
  });

  it('is not what a refused NTLM falls down to', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate', 'Basic'],
      users: [ALICE],
      negotiate: { raw: false, wrapped: false },
    });
    await using client = await clientOfAlice({
      proxy: proxy.url,
      auth: 'negotiate,basic',
      allowBasicHttp: true,
    });
    expect(await codeOf(client.openTunnel('127.0.0.1:9'))).not.toBe('ok');
    expect(proxy.log.some(({ scheme }) => scheme === 'Basic')).toBe(false);
  });
});

describe('50 first requests at once', () => {
  it('send a wrong password once', { timeout: 25_000 }, async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using client = await clientOfAlice({ proxy: proxy.url, password: 'wrong' });
    const codes = await Promise.all(
      Array.from({ length: 50 }, () => codeOf(client.openTunnel('127.0.0.1:9'))),
    );
    expect(new Set(codes)).toEqual(new Set(['CREDENTIALS_REFUSED']));
    expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
  });

  it('all succeed with the right one', { timeout: 25_000 }, async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate', 'NTLM'],
      users: [ALICE],
    });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const bodies = await Promise.all(
      Array.from({ length: 50 }, async () =>
        readAll((await client.request(`${origin.url}/bytes/1000`)).body),
      ),
    );
    expect(bodies.every(({ length }) => length === 1000)).toBe(true);
    expect(proxy.counts().refused).toBe(0);
  });
});

describe('a refusal', () => {
  it('is told from a denial once the identity was accepted', async () => {
    await using origin = await createOrigin();
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['407-for-blocked'],
      blocked: (target) => target.endsWith('/bytes/13'),
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const get = async (path: string) => readAll((await client.request(origin.url + path)).body);
    await get('/bytes/1');
    await expect(get('/bytes/13')).rejects.toMatchObject({ code: 'PROXY_DENIED' });
    expect(await get('/bytes/2')).toHaveLength(2);
  });

  it('names both possibilities when the identity is new, and shuts the gate', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using client = await clientOfAlice({ proxy: proxy.url, password: 'wrong' });
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toThrow(
      /password is wrong.*or this URL is denied/,
    );
    const before = proxy.counts();
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toThrow(/nothing was sent to/);
    expect(proxy.counts().finalLegs).toEqual(before.finalLegs);
  });

  it('is an answer to connect(), headers and all', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using client = await clientOfAlice({ proxy: proxy.url, password: 'wrong' });
    const answer = await client.connect('127.0.0.1:9');
    answer.socket.destroy();
    expect(answer).toMatchObject({
      status: 407,
      headers: { 'proxy-authenticate': expect.stringContaining('NTLM') },
      scheme: null,
      identity: null,
      legs: 3,
      refusal: { code: 'CREDENTIALS_REFUSED' },
    });
  });

  it('without credentials is an answer, too', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM', 'Negotiate'],
      users: [ALICE],
    });
    const settings = await resolveSettings({ proxy: proxy.url, systemSignOn: false, env: {} });
    await using client = new Upstream(settings, new LogonGate());
    const answer = await client.connect('127.0.0.1:9');
    answer.socket.destroy();
    expect(answer).toMatchObject({
      status: 407,
      legs: 1,
      refusal: { code: 'CREDENTIALS_MISSING' },
    });
  });
});

describe('proxy and web server of one domain', () => {
  it('do not wait for each other’s turn when the password is to be proven anew', async () => {
    let now = Date.now();
    const gate = new LogonGate({ now: () => now });
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin({ users: [ALICE] });
    const settings = await resolveSettings({
      ...{ proxy: proxy.url, user: 'CORP\\alice', password: ALICE.password, env: {} },
      ...{ originUser: 'CORP\\alice', originPassword: ALICE.password, trusted: '127.0.0.1' },
    });
    await using client = new Upstream(settings, gate);
    await readAll((await client.request(`${origin.url}/ntlm/bytes/1`)).body);
    now += 61_000;
    const started = performance.now();
    await readAll((await client.request(`${origin.url}/ntlm/bytes/1`)).body);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('a host on the list of those that get no sign-on', () => {
  it('gets none, and the error says so', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using client = await clientOfAlice({ proxy: proxy.url, noAuth: '127.0.0.1' });
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toMatchObject({
      code: 'SIGN_ON_NOT_TRUSTED',
      message: expect.stringContaining('noAuth'),
    });
    expect(proxy.log.map(({ leg }) => leg)).toEqual(['none']);
  });

  it('is not a question of a password that is missing', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const settings = await resolveSettings({
      ...{ proxy: proxy.url, user: 'CORP\\alice', noAuth: '127.0.0.1', env: {} },
    });
    await using client = new Upstream(settings, new LogonGate());
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toMatchObject({
      code: 'SIGN_ON_NOT_TRUSTED',
    });
  });
});

describe('a signed-on connection', () => {
  it('serves later requests and tunnels without another leg', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const legs: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const response = await client.request(`${origin.url}/bytes/3`);
      await readAll(response.body);
      legs.push(response.legs);
    }
    const tunnel = await client.connect(`127.0.0.1:${origin.port}`);
    tunnel.socket.destroy();
    expect(legs).toEqual([3, 1, 1]);
    expect(tunnel).toMatchObject({ status: 200, legs: 1, connections: 0 });
    expect(proxy.counts()).toMatchObject({ connections: 1, finalLegs: { 'CORP\\alice': 1 } });
  });

  it('is not shared between identities', async () => {
    const bob = { name: 'bob', domain: 'CORP', password: 'B0b' };
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE, bob] });
    await using origin = await createOrigin();
    await using alice = await clientOfAlice({ proxy: proxy.url });
    await using bobs = await clientOfAlice({
      proxy: proxy.url,
      user: 'CORP\\bob',
      password: bob.password,
    });
    for (const client of [alice, bobs, alice, bobs]) {
      await readAll((await client.request(`${origin.url}/bytes/3`)).body);
    }
    const users = proxy.log
      .filter(({ status }) => status === 200)
      .map(({ user, connection }) => `${user} ${connection}`);
    expect(users).toEqual(['CORP\\alice 1', 'CORP\\bob 2', 'CORP\\alice 1', 'CORP\\bob 2']);
  });
});

describe('an origin that asks for NTLM itself', () => {
  const bob = { name: 'bob', domain: 'CORP', password: 'B0b:pass%word@x' };
  const asBob = { originUser: 'CORP\\bob', originPassword: bob.password };

  it.each(['http', 'https'] as const)(
    'is answered when trusted, beside the proxy, %s',
    async (target) => {
      await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
      await using origin = await createOrigin({
        users: [bob],
        ...(target === 'https' ? { tls: CERTIFICATES } : {}),
      });
      await using client = await clientOfAlice({
        proxy: proxy.url,
        trusted: `127.0.0.1:${origin.port}`,
        ...asBob,
      });
      const response = await client.request(`${origin.url}/ntlm/bytes/4`);
      expect(await readAll(response.body)).toHaveLength(4);
      expect(origin.log.at(-1)).toMatchObject({ user: 'CORP\\bob' });
      expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
    },
  );

  it('is not answered when nobody trusts it', async () => {
    await using origin = await createOrigin({ users: [bob] });
    await using client = await clientOfAlice({ proxy: 'direct', ...asBob });
    const response = await client.request(`${origin.url}/ntlm/bytes/4`);
    await readAll(response.body);
    expect(response).toMatchObject({ status: 401, legs: 1 });
  });

  it('gets no credentials of the proxy in a 407 of its own', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin({ tls: CERTIFICATES });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const response = await client.request(`${origin.url}/status/407`);
    await readAll(response.body);
    expect(response.status).toBe(407);
    expect(origin.log).toHaveLength(1);
  });

  it('leaves no connection behind that somebody else could be handed', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin({ users: [bob] });
    await using client = await clientOfAlice({ proxy: proxy.url, trusted: '127.0.0.1', ...asBob });
    await readAll((await client.request(`${origin.url}/ntlm/bytes/4`)).body);
    await readAll((await client.request(`${origin.url}/bytes/4`)).body);
    expect(proxy.counts().connections).toBe(2);
  });
});
