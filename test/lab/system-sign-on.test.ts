// The reason for all of this: `sallyport get URL` with no credential option signs on as whoever is signed in. The built
// command against the real thing, by GSSAPI of MIT and Heimdal and by gss-ntlmssp; what goes wrong, provoked for real.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { finalLegs, proxyLog } from './access-log.ts';
import { readText, runModule, sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';
import { closedPort, krb5Config, silentKdc } from './silent-kdc.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const HTTP = `${origins.http}/small.txt`;
const HTTPS = `${origins.https}/small.txt`;
const HELLO = 'hello from origin\n';
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-lab-'));
const KEYTAB = join(SCRATCH, 'alice.keytab');

const LIBRARIES = { MIT: {}, Heimdal: { SALLYPORT_SECURITY_LIBRARY: 'libgssapi.so.3' } };
const NO_TICKET = { ...LAB.environment, KRB5CCNAME: `FILE:${join(SCRATCH, 'none')}` };
const CREDENTIALS = {
  'ticket cache': { args: [], env: LAB.environment },
  keytab: {
    args: [],
    env: { ...NO_TICKET, KRB5CCNAME: 'MEMORY:', KRB5_CLIENT_KTNAME: `FILE:${KEYTAB}` },
  },
  password: {
    args: ['--user', users.alice.typed],
    env: { ...NO_TICKET, SALLYPORT_PASSWORD: users.alice.password },
  },
} as const;

/** Lines of `-v` that tell what was sent and answered. */
function legsOf(stderr: string): string[] {
  return stderr.split('\n').filter((line) => /^[<>] /.test(line));
}

beforeAll(() => {
  if (lab.available) {
    execFileSync(
      'samba-tool',
      ['domain', 'exportkeytab', '-s', join(LAB.directory, 'ad/etc/smb.conf'), KEYTAB].concat(
        '--principal=alice',
      ),
      { stdio: 'ignore' },
    );
  }
});
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

describe.skipIf(!lab.available)('Kerberos, nothing typed', () => {
  const ROWS = (['MIT', 'Heimdal'] as const).flatMap((library) =>
    (['ticket cache', 'keytab', 'password'] as const).flatMap((source) =>
      (['kerberos', 'negotiate', 'spnego', 'apache'] as const).map((proxy) => ({
        library,
        source,
        proxy,
      })),
    ),
  );

  it.each(ROWS)('$library, $source, $proxy: one leg', async ({ library, source, proxy }) => {
    const { args, env } = CREDENTIALS[source];
    const { code, stdout, stderr } = await sallyport(
      ['get', '-v', '--proxy', proxies[proxy].url, ...args, HTTPS],
      { ...env, ...LIBRARIES[library] },
    );
    expect(stderr).toMatch(
      new RegExp(`Kerberos by GSSAPI \\(${library}, .*as alice@CORP.EXAMPLE`, 'i'),
    );
    expect([code, stdout]).toEqual([0, HELLO]);
    expect(legsOf(stderr).slice(0, 4)).toEqual([
      '> CONNECT origin.corp.example:8443',
      expect.stringMatching(/^< 407 /),
      '> CONNECT origin.corp.example:8443 with Negotiate for the proxy',
      expect.stringMatching(/^< 200 /),
    ]);
  });

  it('goes with the first request once it is known to work', async () => {
    const mark = await proxyLog('kerberos').mark();
    const { code, stdout } = await runModule(
      `
      const upstream = await createUpstream({ proxy: '${proxies.kerberos.url}' });
      for (const url of ['${HTTPS}', '${HTTPS}', '${HTTP}']) {
        const { legs, scheme, identity, body } = await upstream.request(url, {});
        body.resume();
        console.log(legs, scheme, identity);
      }
      await upstream.close();`,
      LAB.environment,
    );
    expect([code, stdout.trim().split('\n')]).toEqual([
      0,
      ['2', '1', '1'].map((legs) => `${legs} Negotiate alice@CORP.EXAMPLE`),
    ]);
    const entries = await mark.entries(4);
    expect(entries.map(({ status }) => status)).toEqual([407, 200, 200, 200]);
  });

  it('through a proxy that speaks TLS, and one that offers everything', async () => {
    for (const proxy of ['tls', 'all'] as const) {
      const { code, stderr } = await sallyport(
        ['get', '-v', '--proxy', proxies[proxy].url, HTTPS],
        LAB.environment,
      );
      expect([code, legsOf(stderr).length]).toEqual([0, 6]);
    }
  });

  it('to web servers that are trusted, alone and behind a proxy that asks as well', async () => {
    for (const way of ['direct', proxies.kerberos.url, proxies.all.url]) {
      for (const url of [
        `${origins.auth}/negotiate/`,
        `${origins.authTls}/both/`,
        `${origins.ntlm}/small.txt`,
      ]) {
        const { code, stdout, stderr } = await sallyport(
          ['get', '-v', '--proxy', way, '--trusted', 'origin.corp.example', url],
          LAB.environment,
        );
        expect([code, stdout, stderr], `${url} by way of ${way}`).toEqual([
          0,
          HELLO,
          expect.stringMatching(/origin: negotiate: Kerberos .* for HTTP\/origin.corp.example/),
        ]);
      }
    }
  });

  it('to no web server that is not trusted', async () => {
    const { code, stderr } = await sallyport(
      ['get', '-v', '--proxy', 'direct', `${origins.auth}/negotiate/`],
      LAB.environment,
    );
    expect([code, legsOf(stderr)[0]]).toEqual([7, '> GET /negotiate/']);
    expect(stderr).not.toContain('with Negotiate');
  });
});

describe.skipIf(!lab.available)('NTLM, nothing typed', () => {
  it.each([
    ['spnego', 'raw'],
    ['spnego', 'spnego'],
    ['apache', 'raw'],
    ['apache', 'spnego'],
    ['ntlm', 'auto'],
    ['ntlmClose', 'auto'],
  ] as const)('by gss-ntlmssp and winbind at %s, %s: two legs', async (proxy, form) => {
    const { code, stdout, stderr } = await sallyport(
      ['get', '-v', '--negotiate-form', form, '--proxy', proxies[proxy].url, HTTPS],
      { ...NO_TICKET, NTLMUSER: 'alice' },
    );
    expect([code, stdout]).toEqual([0, HELLO]);
    expect(stderr).toMatch(/NTLM by GSSAPI \(MIT, .*\) as CORP\\alice for HTTP\//);
    expect(legsOf(stderr).filter((line) => /with (?:NTLM|Negotiate) for/.test(line))).toHaveLength(
      2,
    );
  });

  it('is next where there is no ticket, and -v says why', async () => {
    const { code, stderr } = await sallyport(['get', '-v', '--proxy', proxies.spnego.url, HTTPS], {
      ...NO_TICKET,
      NTLMUSER: 'alice',
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/negotiate: set aside for 5 s: .*no Kerberos ticket/);
    expect(stderr).toMatch(/negotiate-ntlm: NTLM by GSSAPI/);
  });

  it('is next on a fresh handshake where the proxy refuses the ticket', async () => {
    const mark = await proxyLog('rolled').mark();
    const { code, stdout, stderr } = await sallyport(
      ['get', '-v', '--auth', 'ntlm,negotiate', '--proxy', proxies.rolled.url, HTTPS],
      { ...LAB.environment, NTLMUSER: 'alice' },
    );
    const again = await sallyport(['get', '-v', '--proxy', proxies.rolled.url, HTTPS], {
      ...LAB.environment,
      NTLMUSER: 'alice',
    });
    expect([code, stdout, stderr]).toEqual([0, HELLO, expect.not.stringContaining('set aside')]);
    expect([again.code, again.stdout]).toEqual([0, HELLO]);
    expect(again.stderr).toMatch(
      /negotiate: set aside for 10 min: .* refused the Kerberos ticket of alice/,
    );
    const tickets = (await mark.entries(6)).filter(
      ({ auth }) => auth?.scheme === 'Negotiate' && auth.ntlmType === null,
    );
    expect(tickets).toHaveLength(1);
  });

  it('is not used where it is forbidden', async () => {
    const mark = await proxyLog('rolled').mark();
    const { code, stderr } = await sallyport(
      ['get', '--no-ntlm', '--proxy', proxies.rolled.url, HTTPS],
      { ...LAB.environment, NTLMUSER: 'alice' },
    );
    expect([code, stderr]).toEqual([5, expect.stringMatching(/refused the Kerberos ticket/)]);
    const entries = await mark.entries(2);
    expect(entries.filter(({ auth }) => auth !== null && auth.ntlmType !== null)).toEqual([]);
  });
});

describe.skipIf(!lab.available)('what goes wrong, each with its own words', () => {
  const kerberosOnly = (env: Readonly<Record<string, string>>, ...args: string[]) =>
    sallyport(
      ['get', '--json', '-o', '/dev/null', '--proxy', proxies.kerberos.url, ...args, HTTPS],
      env,
    );
  const errorOf = (stdout: string) => JSON.parse(stdout).error;

  it('no ticket', async () => {
    const { code, stdout, stderr } = await kerberosOnly(NO_TICKET);
    expect([code, errorOf(stdout).code]).toEqual([4, 'TICKET_MISSING']);
    expect(stderr).toMatch(/proxy.corp.example:3130 asks for sign-on .*kinit/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('an expired ticket', async () => {
    const KRB5CCNAME = `FILE:${join(SCRATCH, 'short')}`;
    execFileSync('kinit', ['-l', '1s', 'alice'], {
      input: `${users.alice.password}\n`,
      env: { ...process.env, ...LAB.environment, KRB5CCNAME },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await sleep(2_500);
    const { code, stdout } = await kerberosOnly({ ...LAB.environment, KRB5CCNAME });
    expect([code, errorOf(stdout)]).toEqual([
      4,
      expect.objectContaining({ code: 'TICKET_EXPIRED', hint: expect.stringContaining('kinit') }),
    ]);
  });

  it('a refused ticket', async () => {
    const { code, stdout } = await sallyport(
      [
        'get',
        '--json',
        '-o',
        '/dev/null',
        '--auth',
        'negotiate',
        '--proxy',
        proxies.rolled.url,
        HTTPS,
      ],
      LAB.environment,
    );
    expect([code, errorOf(stdout).code]).toEqual([5, 'TICKET_REFUSED']);
  });

  it('an unknown service name', async () => {
    const { code, stdout } = await sallyport(
      ['get', '--json', '-o', '/dev/null', '--proxy', 'http://127.0.0.11:3130', HTTPS],
      LAB.environment,
    );
    expect([code, errorOf(stdout)]).toEqual([
      5,
      expect.objectContaining({
        code: 'SPN_UNKNOWN',
        native: expect.objectContaining({ api: 'GSSAPI' }),
      }),
    ]);
  });

  it('no domain controller, and another that is silent: the command ends all the same', async () => {
    await using kdc = await silentKdc();
    for (const port of [await closedPort(), kdc.port]) {
      const KRB5_CONFIG = krb5Config(SCRATCH, port);
      const started = performance.now();
      const { code, stdout } = await kerberosOnly(
        { ...NO_TICKET, KRB5_CONFIG, SALLYPORT_PASSWORD: 'any' },
        '--user',
        users.alice.typed,
        '--no-ntlm',
      );
      expect([code, errorOf(stdout).code]).toEqual([6, 'KDC_UNREACHABLE']);
      expect(performance.now() - started).toBeLessThan(50_000);
    }
  });

  it.each([
    ['a disabled account', users.carol, 'ACCOUNT_DISABLED'],
    ['an expired password', users.dave, 'PASSWORD_EXPIRED'],
    ['a wrong password', { ...users.bob, password: 'wrong' }, 'CREDENTIALS_REFUSED'],
  ] as const)('%s', async (_what, { typed, password }, wanted) => {
    const { code, stdout } = await kerberosOnly(
      { ...NO_TICKET, SALLYPORT_PASSWORD: password },
      '--user',
      typed,
    );
    expect([code, errorOf(stdout).code]).toEqual([4, wanted]);
  });
});

describe.skipIf(!lab.available)('the service name', () => {
  it.each([
    ['auto', 0],
    ['always', 0],
    ['never', 5],
  ] as const)('of an alias, --spn-canonical %s', async (use, wanted) => {
    const { code, stderr } = await sallyport(
      ['get', '-v', '--spn-canonical', use, '--proxy', 'http://webproxy.corp.example:3130', HTTPS],
      LAB.environment,
    );
    expect(code).toBe(wanted);
    expect(stderr).toContain(
      wanted === 0 ? 'for HTTP/proxy.corp.example' : 'does not know the service name HTTP/webproxy',
    );
  });

  it('as configured, and nothing else', async () => {
    const { code, stderr } = await sallyport(
      ['get', '-v', '--spn', 'HTTP/proxy.corp.example', '--proxy', 'http://127.0.0.11:3130', HTTPS],
      LAB.environment,
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('for HTTP/proxy.corp.example')]);
  });
});

describe.skipIf(!lab.available)('a proxy that nobody meant', () => {
  /** As a route found by WPAD will come: the rest of the engine is as always. */
  async function foundByWpad(proxy: 'ntlm' | 'all', trustedProxies: string[]): Promise<Upstream> {
    const settings = await resolveSettings({
      proxy: proxies[proxy].url,
      trustedProxies,
      env: { HOME: '/nonexistent' },
    });
    const routeFor: typeof settings.routeFor = (url) => {
      const route = settings.routeFor(url);
      return route.kind === 'direct' ? route : { ...route, source: { kind: 'wpad', name: 'WPAD' } };
    };
    return new Upstream({ ...settings, routeFor }, new LogonGate());
  }

  it('gets no NTLM byte, until it is pinned', async () => {
    const mark = await proxyLog('ntlm').mark();
    await using stranger = await foundByWpad('ntlm', []);
    await expect(stranger.request(HTTP)).rejects.toMatchObject({
      code: 'SIGN_ON_NOT_TRUSTED',
      message: expect.stringContaining('WPAD'),
      hint: expect.stringContaining('sallyport trust proxy.corp.example'),
    });
    expect((await mark.entries(1)).map(({ auth }) => auth)).toEqual([null]);

    await using friend = await foundByWpad('ntlm', ['proxy.corp.example']);
    vi.stubEnv('NTLMUSER', 'alice');
    expect(await readText((await friend.request(HTTP)).body)).toBe(HELLO);
    expect(finalLegs(await mark.entries(3))).toHaveLength(1);
  });
});
