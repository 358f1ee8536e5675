// What Linux knows: GNOME's proxy settings by the real gsettings, and the distribution's bundle of certificate authorities.
// Nothing of either is told to the command.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveProxy } from '../../src/index.ts';
import { runModule, sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { origins, proxies } = LAB;
const HTTP = `${origins.http}/small.txt`;
const HTTPS = `${origins.https}/small.txt`;
const HELLO = 'hello from origin\n';
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-system-'));
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const DESKTOP = { GSETTINGS_BACKEND: 'keyfile', XDG_CONFIG_HOME: join(SCRATCH, 'config') };

/** A mount namespace is not to be had in every container. */
const hasNamespaces = lab.available && spawnSync('unshare', ['-m', 'true']).status === 0;

afterAll(() => rmSync(SCRATCH, { recursive: true }));

/** `set('.http', 'port', '3128')` writes what the settings dialog of the desktop would. */
function set(child: string, key: string, value: string): void {
  execFileSync('gsettings', ['set', `org.gnome.system.proxy${child}`, key, value], {
    env: { ...DESKTOP, PATH: process.env['PATH'] ?? '' },
  });
}

describe.skipIf(!lab.available)('GNOME’s proxy settings', () => {
  beforeEach(() => {
    rmSync(DESKTOP.XDG_CONFIG_HOME, { recursive: true, force: true });
    set('', 'mode', 'manual');
    set('.http', 'host', proxies.open.host);
    set('.http', 'port', String(proxies.open.port));
  });

  const which = async (env: Readonly<Record<string, string>>, ...args: string[]) =>
    (await sallyport(['which', ...args, HTTPS], env)).stdout;

  it('name the proxy where nobody else does', async () => {
    expect(await which(DESKTOP)).toBe(`${proxies.open.url} (from GNOME settings)\n`);
    expect(await sallyport(['get', HTTPS], DESKTOP)).toMatchObject({ code: 0, stdout: HELLO });
    const { stderr } = await sallyport(['get', '-v', HTTP], DESKTOP);
    expect(stderr).toContain(`${proxies.open.url} (from GNOME settings)`);
  });

  it('are the weakest of all sources', async () => {
    const other = { ...DESKTOP, HTTPS_PROXY: proxies.ntlm.url };
    expect(await which(other)).toBe(`${proxies.ntlm.url} (from HTTPS_PROXY)\n`);
    expect(await which(DESKTOP, '--proxy', 'direct')).toBe('direct (--proxy)\n');
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['--no-system-proxy', DESKTOP, ['--no-system-proxy']],
    ['SALLYPORT_SYSTEM_PROXY=0', { ...DESKTOP, SALLYPORT_SYSTEM_PROXY: '0' }, []],
    ['no desktop', { XDG_CONFIG_HOME: DESKTOP.XDG_CONFIG_HOME }, []],
  ])('do not count with %s', async (_, env, args) => {
    expect(await which(env, ...args)).toBe('direct (default)\n');
  });

  it('count in the library where no environment is given, or where it is said', async () => {
    const shut = await resolveProxy(HTTPS, { env: DESKTOP });
    expect(shut.source).toEqual({ kind: 'default', name: 'default' });
    const open = await resolveProxy(HTTPS, { env: DESKTOP, systemProxy: true });
    expect(open.source).toEqual({ kind: 'system', name: 'GNOME settings' });
    const text = `console.log((await resolveProxy('${HTTPS}')).source.name)`;
    expect((await runModule(text, DESKTOP)).stdout).toBe('GNOME settings\n');
  });

  it('have a list of hosts that need no proxy', async () => {
    set('', 'ignore-hosts', "['10.0.0.0/8', '*.corp.example']");
    expect(await which(DESKTOP)).toBe('direct (GNOME settings has *.corp.example)\n');
    expect(await which(DESKTOP, '--no-proxy', '')).toContain('from GNOME settings');
  });

  it('may name a PAC file, which is said to be out of reach', async () => {
    set('', 'mode', 'auto');
    set('', 'autoconfig-url', 'http://wpad.corp.example/proxy.pac');
    const note =
      'GNOME settings name the PAC file http://wpad.corp.example/proxy.pac, which this version does not evaluate: name the proxy with --proxy';
    expect(await which(DESKTOP)).toBe(`direct: ${note}\n`);
    expect(JSON.parse(await which(DESKTOP, '--json'))).toEqual({
      kind: 'direct',
      source: { kind: 'system', name: 'GNOME settings' },
      note,
    });
  });
});

describe.skipIf(!lab.available)('the certificate authorities of the system', () => {
  const TARGET = ['get', '--proxy', proxies.open.url, HTTPS];
  const bundle = join(SCRATCH, 'bundle.crt');

  beforeEach(() => {
    cpSync(BUNDLE, bundle);
    appendFileSync(bundle, readFileSync(LAB.ca));
  });

  it('are trusted, the company’s among them', async () => {
    const env = { SALLYPORT_CA: '', SSL_CERT_FILE: bundle };
    expect(await sallyport(TARGET, env)).toMatchObject({ code: 0, stdout: HELLO });
    const { code, stderr } = await sallyport([...TARGET, '--no-system-ca'], env);
    expect(code).toBe(6);
    expect(stderr).toMatch(/No TLS with .* turned off here \(--no-system-ca\)/);
  });

  it.skipIf(!hasNamespaces)('are found where the distribution keeps them', async () => {
    const mount = `mount --bind '${bundle}' ${BUNDLE} && exec "$@"`;
    const { status, stdout } = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', mount, 'sh', process.execPath, MAIN, ...TARGET],
      { env: { PATH: process.env['PATH'], HOME: SCRATCH }, encoding: 'utf8' },
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: HELLO });
    expect(await sallyport(TARGET, { SALLYPORT_CA: '' })).toMatchObject({ code: 6 });
  });
});
