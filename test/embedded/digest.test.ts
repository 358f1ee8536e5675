// Digest through the engine: algorithms, nonces that grow old, many requests under one nonce, origins behind proxies.
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import type { CorporateProxyOptions } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';
import { createRawServer } from './raw-server.ts';

type Behaviour = NonNullable<CorporateProxyOptions['digest']>;

const JASON = { name: 'Jäsøn', password: 'geheim, ja?' };

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error) => (isSallyportError(error) ? error.code : String(error)),
  );

const digestProxy = (digest: Behaviour = {}, more: Partial<CorporateProxyOptions> = {}) =>
  createCorporateProxy({ schemes: ['Digest'], users: [ALICE, JASON], digest, ...more });

async function fetchOne(client: Upstream, url: string) {
  const response = await client.request(url);
  expect([response.status, (await readAll(response.body)).length]).toEqual([200, 10]);
  return response;
}

describe('Digest towards a proxy', () => {
  const BEHAVIOURS: readonly Behaviour[] = [
    {},
    { qop: null },
    { algorithms: ['MD5'] },
    { algorithms: ['MD5-sess'] },
    { algorithms: ['SHA-256'] },
    { algorithms: ['SHA-256-sess'], userhash: true },
    { algorithms: ['SHA-512-256'], userhash: true, utf8: true },
    { algorithms: ['SHA-512-256-sess'], utf8: true },
    { algorithms: ['MD5', 'SHA-256'], nextNonce: true },
  ];

  for (const target of ['http', 'https'] as const) {
    it.each(BEHAVIOURS)(`signs each ${target} request on, %o`, async (behaviour) => {
      await using proxy = await digestProxy(behaviour);
      await using origin = await createOrigin(target === 'https' ? { tls: CERTIFICATES } : {});
      await using client = await clientOfAlice({ proxy: proxy.url });
      const first = await fetchOne(client, `${origin.url}/bytes/10?q="a"`);
      const second = await fetchOne(client, `${origin.url}/bytes/10`);

      expect([first.scheme, first.legs, first.connections]).toEqual(['Digest', 2, 1]);
      // The nonce is known now: nobody has to ask for it.
      expect([second.scheme, second.legs, second.identity]).toEqual(['Digest', 1, 'CORP\\alice']);
      expect(proxy.counts()).toMatchObject({ refused: 0, challenges: 1 });
    });
  }

  it.each([{}, { userhash: true }, { utf8: true }, { utf8: true, userhash: true }])(
    'knows a name beyond ASCII, %o',
    async (behaviour) => {
      await using proxy = await digestProxy(behaviour);
      await using origin = await createOrigin();
      const { name: user, password } = JASON;
      await using client = await clientOfAlice({ proxy: proxy.url, user, password });

      expect(await fetchOne(client, `${origin.url}/bytes/10`)).toMatchObject({ identity: 'Jäsøn' });
      expect(proxy.log.at(-1)?.user).toBe('Jäsøn');
    },
  );

  it('sends an upload once, after the proxy has asked', async () => {
    await using proxy = await digestProxy();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const body = 'x'.repeat(10_000);
    for (const legs of [2, 1]) {
      const answer = await client.request(`${origin.url}/echo-sha256`, { method: 'POST', body });
      expect(answer.legs).toBe(legs);
      expect(JSON.parse(String(await readAll(answer.body)))).toMatchObject({ length: 10_000 });
    }
  });

  it('sends a wrong password once, also when many wait', async () => {
    await using proxy = await digestProxy();
    await using client = await clientOfAlice({ proxy: proxy.url, password: 'Wrong-Secret9' });
    const all = Array.from({ length: 20 }, () => codeOf(client.request('http://127.0.0.1:9/')));

    expect(await Promise.all(all)).toEqual(Array(20).fill('CREDENTIALS_REFUSED'));
    expect(proxy.counts().refusals).toEqual({ 'CORP\\alice': 1 });
  });

  it('says that the proxy may want the name without its domain', async () => {
    await using proxy = await digestProxy();
    await using client = await clientOfAlice({ proxy: proxy.url, password: 'Wrong-Secret9' });
    const failure = client.request('http://127.0.0.1:9/');

    await expect(failure).rejects.toMatchObject({ hint: expect.stringContaining('For Digest') });
  });
});

describe('a name of the domain that a password file does not know', () => {
  it('is refused by Digest, and goes on signing on by NTLM', async () => {
    const gate = new LogonGate();
    await using byNtlm = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using byDigest = await createCorporateProxy({ schemes: ['Digest'], users: [JASON] });
    await using origin = await createOrigin();
    const options = { user: 'CORP\\alice', password: ALICE.password, env: {} };
    const clientAt = async (proxy: string) =>
      new Upstream(await resolveSettings({ ...options, proxy }), gate);
    await using first = await clientAt(byNtlm.url);
    await using second = await clientAt(byDigest.url);
    await fetchOne(first, `${origin.url}/bytes/10`);
    const refusals = [1, 2, 3].map(() => second.request(`${origin.url}/bytes/10`));

    expect(await Promise.all(refusals.map(codeOf))).toEqual(Array(3).fill('CREDENTIALS_REFUSED'));
    expect(byDigest.counts().refused).toBe(1);
    await fetchOne(first, `${origin.url}/bytes/10`);
  });
});

describe('nonces of Digest', () => {
  it('serve a hundred requests at once, each with a count of its own', async () => {
    await using proxy = await digestProxy();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    await fetchOne(client, `${origin.url}/bytes/10`);
    const all = await Promise.all(
      Array.from({ length: 100 }, () => fetchOne(client, `${origin.url}/bytes/10`)),
    );

    expect(all.map(({ legs }) => legs)).toEqual(Array(100).fill(1));
    expect(proxy.counts()).toMatchObject({ challenges: 1, refused: 0, requests: 102 });
  });

  it('are renewed when they are stale, in the same request and without a refusal', async () => {
    await using proxy = await digestProxy({ nonceUses: 3 });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const legs: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      legs.push((await fetchOne(client, `${origin.url}/bytes/10`)).legs);
    }

    expect(legs).toEqual([2, 1, 1, 2, 1, 1, 2]);
    expect(proxy.counts()).toMatchObject({ refused: 2, refusals: {} });
  });

  it('are renewed on a new connection where the proxy closes the old one', async () => {
    await using proxy = await digestProxy({ nonceUses: 1 }, { habits: ['close-delimited-407'] });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    await fetchOne(client, `${origin.url}/bytes/10`);
    const second = await fetchOne(client, `${origin.url}/bytes/10`);

    // The old one is that of the first request.
    expect([second.legs, second.connections]).toEqual([2, 1]);
  });

  it('are renewed on a new connection where the page about it is too long to be read', async () => {
    await using proxy = await digestProxy(
      { nonceUses: 1 },
      { habits: [{ name: 'large-407', bytes: 2_000_000 }] },
    );
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    await fetchOne(client, `${origin.url}/bytes/10`);

    expect((await fetchOne(client, `${origin.url}/bytes/10`)).legs).toBe(2);
  });

  it('that are always stale end in an error, not in a loop', async () => {
    await using proxy = await digestProxy({ nonceUses: 0 });
    await using client = await clientOfAlice({ proxy: proxy.url });

    expect(await codeOf(client.request('http://127.0.0.1:9/'))).toBe('HANDSHAKE_LOOP');
    expect(proxy.counts().requests).toBe(4);
  });

  it.each([
    [{ nonceUses: 1 }, 'ntlm', 2],
    [{ nonceUses: 1, nextNonce: true }, 'ntlm', 0],
    [{ nonceUses: 2, nextNonce: true }, 'ntlm', 0],
    [{ nonceUses: 1 }, 'digest', 1],
    [{ nonceUses: 1, nextNonce: true }, 'digest', 0],
  ] as const)(
    'grow old, %o, while the origin signs somebody on by %s',
    async (behaviour, path, refused) => {
      await using proxy = await digestProxy(behaviour);
      await using origin = await createOrigin({ users: [ALICE] });
      await using client = await clientOfAlice({
        proxy: proxy.url,
        ...{ trusted: '127.0.0.1', originUser: 'CORP\\alice', originPassword: ALICE.password },
      });
      const response = await fetchOne(client, `${origin.url}/${path}/bytes/10`);

      expect(response.refusal).toBeNull();
      expect(origin.log.at(-1)?.user).toBe('CORP\\alice');
      // Where the next nonce is told, nobody has to ask for it.
      expect(proxy.counts()).toMatchObject({ challenges: 1, refused });
    },
  );

  it('do not cost an upload that can be sent once only', async () => {
    await using proxy = await digestProxy({ nonceUses: 1 });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    for (let turn = 0; turn < 3; turn += 1) {
      const body = Readable.from([Buffer.alloc(200_000, 'x')]);
      const answer = await client.request(`${origin.url}/echo-sha256`, { method: 'PUT', body });
      expect(JSON.parse(String(await readAll(answer.body)))).toMatchObject({ length: 200_000 });
    }
  });

  it('follow nextnonce', async () => {
    await using proxy = await digestProxy({ nonceUses: 1, nextNonce: true });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const legs: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      legs.push((await fetchOne(client, `${origin.url}/bytes/10`)).legs);
    }

    expect(legs).toEqual([2, 1, 1, 1]);
  });
});

describe('Digest towards an origin', () => {
  const trusted = { trusted: '127.0.0.1', originUser: 'CORP\\alice' } as const;

  it.each([
    ['directly', { proxy: 'direct' }, null],
    ['behind NTLM', {}, ['NTLM']],
    ['behind Digest', {}, ['Digest']],
  ] as const)('%s, http and https', async (_, route, schemes) => {
    await using proxy = await createCorporateProxy({ schemes: schemes ?? [], users: [ALICE] });
    for (const tls of [{}, { tls: CERTIFICATES }]) {
      await using origin = await createOrigin({ users: [ALICE], ...tls });
      await using client = await clientOfAlice({
        proxy: proxy.url,
        ...route,
        ...trusted,
        originPassword: ALICE.password,
      });
      for (let turn = 0; turn < 2; turn += 1) {
        await fetchOne(client, `${origin.url}/digest/bytes/10?turn=${turn}`);
      }
      expect(origin.log.map(({ user }) => user)).toEqual([null, 'CORP\\alice', 'CORP\\alice']);
    }
    expect(proxy.counts().refused).toBe(0);
  });

  it('answers another realm than the one that was remembered', async () => {
    await using origin = await createOrigin({ users: [ALICE] });
    await using client = await clientOfAlice({
      proxy: 'direct',
      ...trusted,
      originPassword: ALICE.password,
    });
    await fetchOne(client, `${origin.url}/digest/bytes/10`);
    await fetchOne(client, `${origin.url}/other-digest/bytes/10`);

    expect(origin.log.map(({ user }) => user)).toEqual([
      null,
      'CORP\\alice',
      expect.anything(),
      'CORP\\alice',
    ]);
  });
});

describe('the choice of Digest', () => {
  it('is not got round by a stale nonce', async () => {
    // What somebody on the way could do: refuse NTLM, offer SHA-256, and call its nonce stale under MD5.
    const offers = ['NTLM', 'Digest realm="r", nonce="n1", algorithm=SHA-256, qop="auth"'];
    const downgrade = 'Digest realm="r", nonce="n2", qop="auth", stale=true';
    const sent: string[] = [];
    await using proxy = await createRawServer((socket) => {
      socket.on('data', (data: Buffer) => {
        const credentials = /^Proxy-Authorization: (.*)$/im.exec(String(data))?.[1] ?? '';
        sent.push(credentials);
        const answers = /^Digest/.test(credentials) ? [downgrade] : offers;
        const lines = answers.map((offer) => `Proxy-Authenticate: ${offer}\r\n`).join('');
        socket.write(`HTTP/1.1 407 X\r\n${lines}Content-Length: 0\r\n\r\n`);
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url });

    expect(await codeOf(client.openTunnel('127.0.0.1:9'))).toBe('SCHEME_NOT_ALLOWED');
    expect(sent.filter((one) => one.startsWith('Digest'))).toHaveLength(1);
  });

  it('is no way round a stronger scheme that failed', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate', 'Digest'],
      users: [ALICE],
      negotiate: { raw: false, wrapped: false },
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    await using told = await clientOfAlice({ proxy: proxy.url, auth: 'digest' });
    await using origin = await createOrigin();
    const failure = client.request(`${origin.url}/bytes/10`);

    await expect(failure).rejects.toMatchObject({
      code: 'SCHEME_NOT_ALLOWED',
      remedy: { auth: 'digest' },
    });
    expect(await fetchOne(told, `${origin.url}/bytes/10`)).toMatchObject({ scheme: 'Digest' });
  });
});
