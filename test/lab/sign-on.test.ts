// Signing on to the real thing: every scheme, every squid and apache that takes it, http and https, four spellings of
// users. The proxies' own logs say who came, and with what.
import { describe, expect, it } from 'vitest';
import type { NegotiateForm } from '../../src/auth/mechanisms.ts';
import { finalLegs, proxyLog } from './access-log.ts';
import { clientOf, readText, sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const TARGETS = { http: `${origins.http}/small.txt`, https: `${origins.https}/small.txt` };
const PEOPLE = ['alice', 'bob', 'zoe', 'aliceUpn'] as const;
const HELLO = 'hello from origin\n';

type Way = readonly [auth: string, form: NegotiateForm];
const NTLM: Way = ['ntlm', 'auto'];
const RAW: Way = ['negotiate', 'raw'];
const WRAPPED: Way = ['negotiate', 'spnego'];

/** Which ways of carrying NTLM each proxy takes; 3133 and 3128 garble SPNEGO replies (test/lab/README.md). */
const PROXIES = [
  ['all', [NTLM, RAW]],
  ['ntlm', [NTLM]],
  ['negotiate', [RAW]],
  ['ntlmBasic', [NTLM]],
  ['spnego', [RAW, WRAPPED]],
  ['ntlmClose', [NTLM]],
  ['tls', [NTLM, RAW]],
  ['apache', [NTLM, RAW, WRAPPED]],
] as const satisfies readonly (readonly [keyof typeof proxies, readonly Way[]])[];

const MATRIX = PROXIES.flatMap(([proxy, ways]) =>
  ways.flatMap(([auth, form]) =>
    (['http', 'https'] as const).flatMap((target) =>
      PEOPLE.map((person) => ({ proxy, auth, form, target, person })),
    ),
  ),
);

describe.skipIf(!lab.available)('signing on', () => {
  it.each(MATRIX)('$proxy, $auth ($form), $target, $person', async (row) => {
    const { proxy, auth, form, target, person } = row;
    await using client = await clientOf(users[person], {
      proxy: proxies[proxy].url,
      auth,
      negotiateForm: form,
    });
    const response = await client.request(TARGETS[target]);
    expect(await readText(response.body)).toBe(HELLO);
    expect(response).toMatchObject({
      status: 200,
      scheme: auth === 'ntlm' ? 'NTLM' : 'Negotiate',
      identity: users[person].typed,
      // Told the one scheme, it begins without asking: so does curl's --proxy-ntlm.
      legs: 2,
      connections: 1,
    });
  });

  it('is known by its right name in the log, with one last leg', async () => {
    for (const person of PEOPLE) {
      const mark = await proxyLog('ntlm').mark();
      await using client = await clientOf(users[person], { proxy: proxies.ntlm.url });
      await readText((await client.request(TARGETS.http)).body);
      const entries = await mark.entries(3);
      expect(finalLegs(entries)).toHaveLength(1);
      const { domain, name } = users[person];
      expect(entries.at(-1)?.user?.toLowerCase()).toContain(name.toLowerCase().split('@')[0]);
      expect(entries.at(-1)?.user).toMatch(domain === '' ? /@|\\/ : /^CORP\\/);
    }
  });

  it.each(
    PEOPLE.slice(0, 3).flatMap((person) => [['http', person] as const, ['https', person] as const]),
  )('Basic, %s, %s, by the name that proxy knows', async (target, person) => {
    const { name, password } = users[person];
    await using client = await clientOf(
      { typed: name, password },
      { proxy: proxies.basic.url, auth: 'basic', allowBasicHttp: true },
    );
    const response = await client.request(TARGETS[target]);
    expect(await readText(response.body)).toBe(HELLO);
    expect(response).toMatchObject({ scheme: 'Basic', legs: 2, connections: 1 });
  });

  it('says that 3130 offers only Kerberos', async () => {
    const { code, stderr } = await sallyport(
      ['get', '--proxy', proxies.kerberos.url, '--user', users.alice.typed, TARGETS.https],
      { SALLYPORT_PASSWORD: users.alice.password },
    );
    expect(code).toBe(4);
    expect(stderr).toContain('proxy.corp.example:3130: the proxy offers only Kerberos');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('prints the command that would allow Basic', async () => {
    const url = proxies.basic.url;
    const { code, stderr } = await sallyport(
      ['get', '--proxy', url, '--user', 'alice', TARGETS.http],
      {
        SALLYPORT_PASSWORD: users.alice.password,
      },
    );
    expect(code).toBe(5);
    expect(stderr).toContain(
      `sallyport get --auth negotiate,ntlm,digest,basic --allow-basic-http --proxy ${url} --user alice ${TARGETS.http}`,
    );
  });
});

describe.skipIf(!lab.available)('an origin that asks itself', () => {
  const PAGES = [
    ['8081', `${origins.auth}/ntlm/`],
    ['8444', `${origins.authTls}/ntlm/`],
    ['8082', `${origins.ntlm}/small.txt`],
  ] as const;

  it.each(
    PAGES.flatMap(([port, url]) =>
      (['direct', 'ntlm', 'spnego', 'tls'] as const).flatMap((way) =>
        (['alice', 'bob', 'zoe'] as const).map((person) => ({ port, url, way, person })),
      ),
    ),
  )('$port, by way of $way, as $person', async ({ url, way, person }) => {
    const { hostname, port } = new URL(url);
    await using client = await clientOf(users.alice, {
      proxy: way === 'direct' ? 'direct' : proxies[way].url,
      trusted: `${hostname}:${port}`,
      originUser: users[person].typed,
      originPassword: users[person].password,
    });
    const response = await client.request(url);
    expect(await readText(response.body)).toBe(HELLO);
    expect(response.status).toBe(200);
  });

  it('takes both passwords from standard input, the proxy’s first', async () => {
    const { code, stdout } = await sallyport(
      [
        ...['get', '--proxy', proxies.ntlm.url, `${origins.ntlm}/small.txt`],
        ...['--user', users.alice.typed, '--password-stdin'],
        ...['--origin-user', users.bob.typed, '--origin-password-stdin'],
      ],
      {},
      `${users.alice.password}\r\n${users.bob.password}\n`,
    );
    expect([code, stdout]).toEqual([0, HELLO]);
  });

  it('ends with "credentials refused" when they are', async () => {
    const { code, stderr } = await sallyport(
      ['get', '--origin-user', users.bob.typed, `${origins.ntlm}/small.txt`],
      { SALLYPORT_ORIGIN_PASSWORD: 'wrong' },
    );
    expect(code).toBe(4);
    expect(stderr).toContain('origin.corp.example:8082 refused CORP\\bob');
  });
});
