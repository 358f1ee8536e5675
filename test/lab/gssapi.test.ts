// GSSAPI against the real thing: MIT and Heimdal, each credential a user may have, squid and apache as the proxies. Each
// library runs in a process of its own (`remote-gssapi.ts`), for it reads the environment when it pleases.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContextRequest } from '../../src/native/security-context.ts';
import { ensureLab, LAB } from './lab.ts';
import { signOnRaw } from './raw-sign-on.ts';
import { RemoteGssapi } from './remote-gssapi.ts';

const lab = await ensureLab();
const { proxies, users } = LAB;
const TUNNEL = 'CONNECT origin.corp.example:8080';
/** apache sends its proof with forwarded answers only, not with that to CONNECT. */
const FORWARDED = `GET ${LAB.origins.http}/small.txt`;
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-gssapi-'));
const KEYTAB = join(SCRATCH, 'alice.keytab');
/** Where a cache would be written that belongs to the user. */
const USERS_CACHE = join(SCRATCH, 'cc_user');

const LIBRARIES = { MIT: 'libgssapi_krb5.so.2', Heimdal: 'libgssapi.so.3' } as const;
const FLAVOURS = ['MIT', 'Heimdal'] as const;
const PASSWORD_ROWS = {
  NetBIOS: { user: 'alice', domain: 'CORP' },
  'domain with dots': { user: 'alice', domain: 'corp.example' },
  UPN: { user: 'alice@corp.example', domain: '' },
  bare: { user: 'alice', domain: '' },
} as const;
const CREDENTIALS = {
  'ticket cache': { env: {}, credentials: null },
  keytab: {
    env: { KRB5CCNAME: 'MEMORY:', KRB5_CLIENT_KTNAME: `FILE:${KEYTAB}` },
    credentials: null,
  },
  password: {
    env: { KRB5CCNAME: `FILE:${USERS_CACHE}` },
    credentials: { ...PASSWORD_ROWS.NetBIOS, password: users.alice.password },
  },
} as const;

const KERBEROS: ContextRequest = {
  package: 'negotiate',
  spn: 'HTTP/proxy.corp.example',
  credentials: null,
  channelBindings: null,
  allowNtlm: false,
  mutual: true,
  delegate: false,
};

beforeAll(() => {
  if (lab.available) {
    const conf = join(LAB.directory, 'ad/etc/smb.conf');
    const words = ['domain', 'exportkeytab', '-s', conf, KEYTAB, '--principal=alice'];
    execFileSync('samba-tool', words, { stdio: 'ignore' });
  }
});
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

describe.skipIf(!lab.available)('Kerberos by GSSAPI', () => {
  const ROWS = FLAVOURS.flatMap((flavour) =>
    (['ticket cache', 'keytab', 'password'] as const).map((source) => ({ flavour, source })),
  );

  it.each(ROWS)('$flavour signs on in one leg with a $source', async ({ flavour, source }) => {
    const { env, credentials } = CREDENTIALS[source];
    const remote = new RemoteGssapi(LIBRARIES[flavour], env);
    for (const name of ['kerberos', 'negotiate', 'spnego', 'apache'] as const) {
      const proxy = proxies[name];
      const spn = `HTTP/${proxy.host}`;
      const context = await remote.createContext({ ...KERBEROS, spn, credentials });
      const outcome = await signOnRaw({ proxy, scheme: 'Negotiate', context, request: TUNNEL });
      expect([name, outcome.statuses]).toEqual([name, [200]]);
      expect(context).toMatchObject({
        complete: true,
        mechanism: 'Kerberos',
        principal: 'alice@CORP.EXAMPLE',
      });
      await context.end();
    }
    expect(await remote.close()).toBe(0);
    expect(existsSync(USERS_CACHE)).toBe(false);
  });

  it.each(FLAVOURS)(
    '%s leaves the cache alone when somebody else gives a password',
    async (flavour) => {
      const cache = readFileSync(join(LAB.directory, 'krb/cc_alice'));
      writeFileSync(USERS_CACHE, cache, { mode: 0o600 });
      const remote = new RemoteGssapi(LIBRARIES[flavour], CREDENTIALS.password.env);
      const credentials = { user: 'bob', domain: 'CORP', password: users.bob.password };
      const context = await remote.createContext({ ...KERBEROS, credentials });
      await context.step(null);
      expect(context.principal).toBe('bob@CORP.EXAMPLE');
      expect(await remote.close()).toBe(0);
      expect(readFileSync(USERS_CACHE).equals(cache)).toBe(true);
      rmSync(USERS_CACHE);
    },
  );

  it.each(FLAVOURS)('%s verifies the token apache sends with its 200', async (flavour) => {
    const remote = new RemoteGssapi(LIBRARIES[flavour]);
    const context = await remote.createContext({ ...KERBEROS, spn: 'HTTP/aproxy.corp.example' });
    const proxy = proxies.apache;
    const outcome = await signOnRaw({ proxy, scheme: 'Negotiate', context, request: FORWARDED });
    expect(outcome).toEqual({ statuses: [200], serverToken: true });
    expect(context.serverProved).toBe(true);
    await remote.close();
  });

  it.each(FLAVOURS)(
    '%s says SERVER_UNPROVEN when the proof is of another sign-on',
    async (flavour) => {
      const [one, other] = [new RemoteGssapi(LIBRARIES[flavour]), new RemoteGssapi('')];
      const request = { ...KERBEROS, spn: 'HTTP/aproxy.corp.example' };
      const context = await one.createContext(request);
      await context.step(null);
      const stranger = await other.createContext(request);
      let proof: Uint8Array | null = null;
      const step = stranger.step.bind(stranger);
      stranger.step = (token) => {
        proof = token;
        return step(token);
      };
      await signOnRaw({
        proxy: proxies.apache,
        scheme: 'Negotiate',
        context: stranger,
        request: FORWARDED,
      });
      expect(proof).not.toBeNull();
      await expect(context.step(proof)).rejects.toMatchObject({ code: 'SERVER_UNPROVEN' });
      expect(context.serverProved).toBe(false);
      await Promise.all([one.close(), other.close()]);
    },
  );

  it.each(FLAVOURS)('%s finds the realm of a user however the name is typed', async (flavour) => {
    const remote = new RemoteGssapi(LIBRARIES[flavour], CREDENTIALS.password.env);
    for (const name of Object.values(PASSWORD_ROWS)) {
      const credentials = { ...name, password: users.alice.password };
      const context = await remote.createContext({ ...KERBEROS, credentials });
      await context.step(null);
      expect(context.principal).toBe('alice@CORP.EXAMPLE');
      await context.end();
    }
    await remote.close();
  });
});

describe.skipIf(!lab.available)('NTLM by gss-ntlmssp, winbind’s cached credentials', () => {
  const ROWS = [
    { proxy: 'spnego', package: 'ntlm', scheme: 'Negotiate' },
    { proxy: 'spnego', package: 'negotiate-ntlm', scheme: 'Negotiate' },
    { proxy: 'apache', package: 'ntlm', scheme: 'NTLM' },
    { proxy: 'apache', package: 'ntlm', scheme: 'Negotiate' },
    { proxy: 'apache', package: 'negotiate-ntlm', scheme: 'Negotiate' },
  ] as const;

  it.each(ROWS)('signs on to $proxy by $package under $scheme', async (row) => {
    const remote = new RemoteGssapi('', { NTLMUSER: 'alice' });
    const request = { ...KERBEROS, package: row.package, allowNtlm: true } as const;
    const context = await remote.createContext(request);
    const proxy = proxies[row.proxy];
    const outcome = await signOnRaw({ proxy, scheme: row.scheme, context, request: TUNNEL });
    expect(outcome.statuses).toEqual([407, 200]);
    expect(context).toMatchObject({ complete: true, mechanism: 'NTLM', serverProved: false });
    expect(await remote.close()).toBe(0);
  });

  it('says SIGN_ON_MISSING when winbind remembers nobody of that name', async () => {
    const remote = new RemoteGssapi('', { NTLMUSER: 'nobody-here' });
    const context = await remote.createContext({ ...KERBEROS, package: 'ntlm' });
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_MISSING' });
    await remote.close();
  });
});
