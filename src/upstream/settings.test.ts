import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../observe/secret.ts';
import type { ProxyAddress } from '../route/route.ts';
import type { SallyportOptions } from './settings.ts';
import { resolveSettings } from './settings.ts';

const PROXY: ProxyAddress = { scheme: 'http', host: 'proxy', port: 3128 };
const settingsOf = (options: SallyportOptions = {}) =>
  resolveSettings({ env: { HOME: '/nonexistent' }, ...options });

describe('resolveSettings()', () => {
  it('has the defaults of docs/defaults.md', async () => {
    expect(await settingsOf()).toMatchObject({
      allow: ['negotiate', 'ntlm', 'digest'],
      negotiateForm: 'auto',
      allowBasicHttp: false,
      spn: undefined,
      originIdentity: { kind: 'system' },
      allowNtlm: true,
      spnCanonical: 'auto',
      connectTimeoutMs: 10_000,
      handshakeTimeoutMs: 30_000,
      idleTimeoutMs: 120_000,
    });
  });

  it('prefers options to the proxy URL, and that to the environment', async () => {
    const env = { HOME: '/nonexistent', SALLYPORT_USER: 'env', SALLYPORT_PASSWORD: 'e' };
    const proxy = { ...PROXY, user: 'url', password: new Secret('u') };
    const byOption = await settingsOf({ env, user: 'option', password: 'o' });
    const others = await settingsOf({ env });
    expect((await byOption.identityFor(proxy))?.typed).toBe('option');
    expect((await others.identityFor(proxy))?.typed).toBe('url');
    expect((await others.identityFor(PROXY))?.typed).toBe('env');
    expect(await (await settingsOf({ env, user: 'option' })).identityFor(PROXY)).toBeNull();
    expect((await settingsOf({ env, user: 'option' })).userFor(PROXY)).toBe('option');
  });

  it('trusts the system’s authorities unless option, variable or file says no', async () => {
    const systemOf = async (options: SallyportOptions) => {
      const { trust } = await settingsOf(options);
      await trust.secureContext();
      return trust.system?.from;
    };
    const env = { HOME: '/nonexistent', SSL_CERT_FILE: '/nonexistent/bundle.pem' };
    const off = { ...env, SALLYPORT_SYSTEM_CA: '0' };
    expect(await systemOf({ env })).toBe('/nonexistent/bundle.pem');
    expect(await systemOf({ env, systemCa: false })).toBeUndefined();
    expect(await systemOf({ env: off })).toBeUndefined();
    expect(await systemOf({ env: off, systemCa: true })).toBe('/nonexistent/bundle.pem');
  });

  it('trusts exactly the origins that are named', async () => {
    const { isTrustedOrigin } = await settingsOf({ trusted: 'Intranet.example, app.example:8443' });
    const trusts = (host: string, port: number) => isTrustedOrigin({ host, port });
    expect(trusts('intranet.example', 80)).toBe(true);
    expect(trusts('APP.example', 8443)).toBe(true);
    expect(trusts('app.example', 443)).toBe(false);
    expect(trusts('evil-intranet.example', 80)).toBe(false);
    expect(trusts('example', 80)).toBe(false);
  });

  it.each<[SallyportOptions]>([
    [{ auth: 'kerberos' }],
    [{ auth: '' }],
    [{ auth: [] }],
    [{ proxi: 'http://proxy:3128' } as never],
    ['http://proxy:3128' as never],
    [{ password: 12_345 as never }],
    [{ spn: 'HTTP' }],
    [{ trusted: '*.example' }],
    [{ trusted: 'https://intranet.example' }],
    [{ connectTimeoutMs: 0 }],
    [{ idleTimeoutMs: Number.NaN }],
    [{ handshakeTimeoutMs: 2 ** 31 }],
    [{ negotiateForm: 'other' as never }],
    [{ env: { SALLYPORT_AUTH: 'wat' } }],
    [{ originPassword: 'x' }],
  ])('refuses %j', async (options) => {
    await expect(settingsOf(options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it.each<[SallyportOptions, string]>([
    [{ auth: 'wat' }, '--auth: "wat" is not a scheme'],
    [{ env: { SALLYPORT_AUTH: 'wat' } }, 'SALLYPORT_AUTH: "wat" is not a scheme'],
    [{ env: { SALLYPORT_NO_AUTH: 'http://x/' } }, 'SALLYPORT_NO_AUTH: "http://x/" is not host'],
    [{ trusted: '*.example' }, '--trusted: "*.example" is not host'],
    [{ trustedProxies: '*' }, 'trustedProxies: "*" is not host'],
    [{ env: { SALLYPORT_SPN_CANONICAL: 'x' } }, 'SALLYPORT_SPN_CANONICAL: "x" is no use'],
    [{ spn: 'HTTP' }, '--spn: "HTTP" is not a service name'],
    [{ idleTimeoutMs: -1 }, 'idleTimeoutMs is not a number'],
  ])('says where the bad value of %j stands', async (options, message) => {
    await expect(settingsOf(options)).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  it('says in which file and under which key a bad value stands', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-settings-'));
    const config = join(folder, 'config.json');
    const messageOf = async (text: string) => {
      await writeFile(config, text);
      return settingsOf({ config }).then(
        () => null,
        ({ message }) => message,
      );
    };
    expect(await messageOf('{"auth": ["wat"]}')).toBe(`${config}: auth: "wat" is not a scheme`);
    expect(await messageOf('{"trustedProxies": ["*"]}')).toContain(
      `${config}: trustedProxies: "*"`,
    );
    expect(await messageOf('{"user": "CORP/alice"}')).toContain(`${config}: user has a slash`);
    await rm(folder, { recursive: true });
  });

  it('refuses a name that would cost a wrong logon, and says where it stands', async () => {
    const env = { HOME: '/nonexistent', SALLYPORT_USER: 'CORP/alice' };
    await expect(settingsOf({ env })).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: 'The user name of SALLYPORT_USER has a slash where a backslash belongs',
    });
    await expect(settingsOf({ originUser: 'alice@' })).rejects.toMatchObject({
      message: expect.stringContaining('--origin-user has nothing'),
    });
    expect((await settingsOf({ user: '' })).userFor(PROXY)).toBeNull();
  });

  it('refuses a password for nobody, which the signed-in user would be taken for', async () => {
    const { identityFor } = await settingsOf({ password: 'x' });
    await expect(identityFor(PROXY)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: 'A password for the proxy is given, but nobody is named',
    });
    expect(await identityFor({ ...PROXY, user: 'bob' })).toMatchObject({ typed: 'bob' });
    const env = { HOME: '/nonexistent', SALLYPORT_PASSWORD: 'x' };
    expect(await (await settingsOf({ env })).identityFor(PROXY)).toMatchObject({ kind: 'system' });
  });
});
