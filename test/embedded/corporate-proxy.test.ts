// The embedded corporate proxy against curl, which is nobody's code of ours, and against sessions of the product
// for what curl leaves out: MIC, channel binding, SPN.
import { execFile, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsServerEndPoint } from '../../src/auth/tls-server-end-point.ts';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import {
  createCorporateProxy,
  createOrigin,
  createTestCertificates,
  originBytes,
} from '../../src/testing/index.ts';
import { RawClient, session, signOn } from './raw-client.ts';

const USERS = [
  { name: 'alice', domain: 'CORP', password: 'Alice-Secret1', upn: 'alice@corp.test' },
  { name: 'bob', domain: 'CORP', password: 'B0b:pass%word@x' },
];
/** `null` where there is no curl, as on a machine the lab has not been on yet. */
const curlVersion: string | null = spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout;
const curlHasNtlm = curlVersion?.includes('NTLM') ?? false;

let origin: Origin;

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(() => origin.close());

describe.skipIf(curlVersion === null)('createCorporateProxy() with curl', () => {
  it.each([
    ['absolute-form', [], 'forwarded'],
    ['CONNECT', ['--proxytunnel'], 'tunnels'],
  ] as const)(
    'lets everybody through in %s when no scheme is asked for',
    async (_, args, count) => {
      await using proxy = await createCorporateProxy({ schemes: [] });

      expect(await curl(proxy, [...args, `${origin.url}/bytes/1000`])).toEqual(originBytes(1000));
      expect(proxy.counts()).toMatchObject({ connections: 1, [count]: 1, challenges: 0 });
    },
  );

  it('judges Basic with every request', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['Basic'], users: USERS });
    const page = `${origin.url}/status/204`;
    await curl(proxy, ['--proxy-user', 'CORP\\bob:B0b:pass%word@x', page, page]);
    const status = await statusOf(proxy, ['--proxy-user', 'bob:wrong', page]);

    expect(status).toBe('407');
    expect(proxy.log.map((entry) => [entry.connection, entry.status, entry.user])).toEqual([
      [1, 204, 'CORP\\bob'],
      [1, 204, 'CORP\\bob'],
      [2, 407, 'CORP\\bob'],
    ]);
    expect(proxy.counts()).toMatchObject({ refused: 1, refusals: { 'CORP\\bob': 1 } });
  });

  it.runIf(curlHasNtlm).each([
    ['CORP\\alice', 'Alice-Secret1'],
    ['alice', 'Alice-Secret1'],
    ['alice@corp.test', 'Alice-Secret1'],
    ['CORP/bob', 'B0b:pass%word@x'],
  ])('signs %s on by NTLM once per connection', async (user, password) => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: USERS,
      strict: false,
    });
    const id = user.includes('bob') ? 'CORP\\bob' : 'CORP\\alice';
    const [one, two] = [`${origin.url}/bytes/10`, `${origin.url}/bytes/20`];
    const body = await curl(proxy, ['--proxy-ntlm', '-U', `${user}:${password}`, one, two]);

    expect(body).toEqual(Buffer.concat([originBytes(10), originBytes(20)]));
    expect(proxy.counts()).toMatchObject({
      connections: 1,
      requests: 3,
      handshakes: 1,
      finalLegs: { [id]: 1 },
      refused: 0,
    });
  });

  it.runIf(curlHasNtlm)('refuses a wrong password with a bare 407 and notes why', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: USERS,
      strict: false,
    });
    const status = await statusOf(proxy, ['--proxy-ntlm', '-U', 'CORP\\alice:no', origin.url]);

    expect(status).toBe('407');
    expect(proxy.log.at(-1)).toMatchObject({ leg: 'final', reason: 'wrong-password', status: 407 });
    expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
  });

  it.runIf(curlHasNtlm)('refuses what curl leaves out, when strict', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: USERS });
    await statusOf(proxy, ['--proxy-ntlm', '-U', 'CORP\\alice:Alice-Secret1', origin.url]);

    expect(proxy.log.at(-1)).toMatchObject({ reason: 'timestamp', status: 407 });
  });

  it('passes an upload on in both framings', async () => {
    await using proxy = await createCorporateProxy({ schemes: [] });
    const body = 'x'.repeat(3_000_000);
    const upload = (...args: string[]) =>
      curl(proxy, [...args, '--data-binary', '@-', `${origin.url}/echo-sha256`], body);
    const plain = JSON.parse(String(await upload()));
    const chunked = JSON.parse(String(await upload('-H', 'Transfer-Encoding: chunked')));

    expect(plain.length).toBe(3_000_000);
    expect(chunked).toEqual(plain);
    expect(proxy.log.map(({ bodyBytes }) => bodyBytes)).toEqual([3_000_000, 3_000_000]);
  });

  it('keeps what belongs to the hop from the origin', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['Basic'], users: USERS });
    const args = ['-H', 'Connection: x-mine', '-H', 'X-Mine: 1', '-H', 'X-Theirs: 2'];
    const user = ['--proxy-user', 'alice:Alice-Secret1'];
    const seen = JSON.parse(String(await curl(proxy, [...args, ...user, `${origin.url}/headers`])));

    expect(seen).toMatchObject({ 'x-theirs': '2', via: '1.1 corporate-proxy' });
    expect(Object.keys(seen)).not.toContain('x-mine');
    expect(Object.keys(seen).filter((name) => name.startsWith('proxy-'))).toEqual([]);
    expect(proxy.log[0]?.headers).toContainEqual(['Proxy-Authorization', 'Basic [redacted]']);
  });

  it('serves over TLS and tunnels TLS within TLS', async () => {
    const { ca, ...tls } = createTestCertificates();
    await using secure = await createOrigin({ tls });
    await using proxy = await createCorporateProxy({ schemes: ['Basic'], users: USERS, tls });
    // The certificate is signed by itself; what curl thinks of that is not the matter here.
    const args = ['--proxy-insecure', '-k', '--proxy-user', 'alice:Alice-Secret1'];

    expect(await curl(proxy, [...args, `${secure.url}/chunked/99`])).toEqual(originBytes(99));
    expect(ca).toBe(tls.cert);
  });

  it('says 502 when the origin cannot be reached, 403 when it is blocked', async () => {
    await using proxy = await createCorporateProxy({
      schemes: [],
      blocked: (target) => target.includes('blocked'),
    });
    const closed = await unusedPort();

    expect(await statusOf(proxy, [`http://127.0.0.1:${closed}/`])).toBe('502');
    expect(await statusOf(proxy, [`${origin.url}/blocked`])).toBe('403');
    expect(proxy.log.at(-1)?.reason).toBe('blocked');
  });

  it.runIf(curlHasNtlm)('keeps an origin’s NTLM on one connection of its own', async () => {
    await using guarded = await createOrigin({ users: USERS, strict: false });
    await using proxy = await createCorporateProxy({ schemes: [] });
    const page = `${guarded.url}/ntlm/bytes/5`;
    const head = await curl(proxy, ['-i', '--ntlm', '-u', 'CORP\\alice:Alice-Secret1', page, page]);

    expect(String(head)).toContain('Proxy-Support: Session-Based-Authentication');
    expect(guarded.log.map(({ connection, user }) => [connection, user])).toEqual([
      [1, null],
      [1, 'CORP\\alice'],
      [1, 'CORP\\alice'],
    ]);
  });
});

describe('createCorporateProxy() with strict sign-on', () => {
  it.each([
    ['ntlm', 'NTLM', {}],
    ['negotiate-ntlm', 'Negotiate', { raw: true, wrapped: false }],
    ['negotiate-spnego', 'Negotiate', { raw: false, wrapped: true }],
    ['negotiate-spnego', 'Negotiate', { raw: false, wrapped: true, requestMic: true }],
  ] as const)('accepts %s in every check (%s %o)', async (mechanism, scheme, forms) => {
    await using proxy = await createCorporateProxy({
      schemes: [scheme],
      users: USERS,
      negotiate: { raw: true, wrapped: true, ...forms },
    });
    await using client = await RawClient.to(proxy);
    const page = `${origin.url}/bytes/3`;
    using auth = await session(mechanism);
    const first = await signOn(client, auth, ['GET', page]);
    const second = await client.ask('GET', page);
    const proof = first.head.headers.first('proxy-authenticate')?.split(' ')[1];

    expect([first.head.status, second.head.status]).toEqual([200, 200]);
    expect(proof !== undefined).toBe(mechanism === 'negotiate-spnego');
    // The session checks the signature of the acceptor, and throws when it is wrong.
    expect(proof && (await auth.step(Buffer.from(proof, 'base64')))).toBe(proof && null);
    expect(proxy.counts()).toMatchObject({
      connections: 1,
      handshakes: 1,
      finalLegs: { 'CORP\\alice': 1 },
      refused: 0,
    });
  });

  it('wants the right channel binding on TLS', async () => {
    const { ca, ...tls } = createTestCertificates({ signatureHash: 'sha384' });
    const other = createTestCertificates();
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: USERS,
      tls,
      requireChannelBinding: true,
    });
    const outcome = async (certificate: string | null) => {
      await using client = await RawClient.to(proxy, ca);
      const channelBindings = certificate === null ? null : tlsServerEndPoint(derOf(certificate));
      using auth = await session('ntlm', { channelBindings });
      const { head } = await signOn(client, auth, ['HEAD', origin.url]);
      return [head.status, proxy.log.at(-1)?.reason];
    };

    expect(await outcome(tls.cert)).toEqual([404, null]);
    expect(await outcome(other.cert)).toEqual([407, 'channel-binding']);
    expect(await outcome(null)).toEqual([407, 'channel-binding-missing']);
  });

  it('refuses the wrong SPN, and NTLM where it wants Kerberos', async () => {
    const negotiate = { raw: false, wrapped: false };
    await using proxy = await createCorporateProxy({
      schemes: ['Negotiate', 'NTLM'],
      users: USERS,
      negotiate,
    });
    await using client = await RawClient.to(proxy);
    using wrongSpn = await session('ntlm', { spn: 'HTTP/elsewhere' });
    using raw = await session('negotiate-ntlm');
    using wrapped = await session('negotiate-spnego');
    const page = ['GET', origin.url] as const;

    expect((await signOn(client, wrongSpn, page)).head.status).toBe(407);
    expect((await signOn(client, raw, page)).head.headers.all('proxy-authenticate')).toEqual([
      'Negotiate',
      'NTLM',
    ]);
    await signOn(client, wrapped, page);
    expect(proxy.log.filter(({ reason }) => reason !== null).map(({ reason }) => reason)).toEqual([
      'spn',
      'mechanism',
      'mechanism',
    ]);
  });

  it('takes each challenge for one answer only, and none on another connection', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: USERS });
    await using client = await RawClient.to(proxy);
    await using elsewhere = await RawClient.to(proxy);
    using auth = await session('ntlm');
    const ask = (by: RawClient, token: Uint8Array | null) =>
      by.ask('GET', `${origin.url}/bytes/1`, [
        `Proxy-Authorization: NTLM ${Buffer.from(token ?? []).toString('base64')}`,
      ]);
    const challenged = await ask(client, await auth.step(null));
    const challenge = challenged.head.headers.first('proxy-authenticate')?.split(' ')[1] ?? '';
    const answer = await auth.step(Buffer.from(challenge, 'base64'));

    expect((await ask(elsewhere, answer)).head.status).toBe(407);
    expect((await ask(client, answer)).head.status).toBe(200);
    expect((await ask(client, answer)).head.status).toBe(407);
    expect(proxy.log.at(-1)?.reason).toBe('out-of-order');
  });
});

async function curl(proxy: CorporateProxy, args: readonly string[], input = ''): Promise<Buffer> {
  const common = ['--silent', '--show-error', '--noproxy', '', '--max-time', '10'];
  const running = promisify(execFile)('curl', [...common, '--proxy', proxy.url, ...args], {
    encoding: 'buffer',
  });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

async function statusOf(proxy: CorporateProxy, args: readonly string[]): Promise<string> {
  const format = ['--output', '/dev/null', '--write-out', '%{http_code}'];
  return String(await curl(proxy, [...format, ...args]));
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

function unusedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
