// What Windows knows: proxy settings and certificate stores, set through Windows' own functions and read by the product.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestCertificates } from '../../src/testing/index.ts';
import { ensureLab, LAB } from './lab.ts';
import { runOnWindows, windowsPath } from './windows.ts';

const lab = await ensureLab();
const folder = mkdtempSync(join(tmpdir(), 'sallyport-windows-'));
const prefix = join(folder, 'prefix');

/** The settings of the other suites' prefix stay as they are; the big part of it is shared. */
function makePrefix(): void {
  const shared = join(LAB.directory, 'wine', 'prefix');
  mkdirSync(join(prefix, 'drive_c'), { recursive: true });
  const own = readdirSync(shared).filter((name) => name !== 'drive_c');
  execFileSync('cp', ['-a', ...own.map((name) => join(shared, name)), prefix]);
  for (const name of readdirSync(join(shared, 'drive_c'))) {
    symlinkSync(join(shared, 'drive_c', name), join(prefix, 'drive_c', name));
  }
}

const runSallyport = (...args: string[]) =>
  runOnWindows({ node: '22', program: 'dist/cli/main.js', args, env: { WINEPREFIX: prefix } });

describe.skipIf(!lab.available)('on Windows', () => {
  let results: Record<string, unknown>;

  beforeAll(async () => {
    makePrefix();
    const names = ['company', 'disallowed', 'not-for-servers', 'in-no-root-store'];
    const files = names.map((name) => {
      const file = join(folder, `${name}.pem`);
      writeFileSync(file, name === 'company' ? readFileSync(LAB.ca) : createTestCertificates().ca);
      return windowsPath(file);
    });
    const run = await runOnWindows({
      node: '20',
      program: 'test/lab/windows/system-settings.ts',
      args: files,
      env: { WINEPREFIX: prefix },
    });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    results = JSON.parse(run.stdout) as Record<string, unknown>;
  });

  afterAll(() => {
    execFileSync('wineserver', ['-k', '-w'], { env: { ...process.env, WINEPREFIX: prefix } });
    rmSync(folder, { recursive: true });
  });

  it('readSystemProxy() tells what the user, WinHTTP and policy say, the strongest that names a proxy', () => {
    const both = (proxy: string) => ({ httpProxy: proxy, httpsProxy: proxy });
    const user = { name: 'Windows settings', autoDetect: false };
    expect(results['nothing']).toBeNull();
    expect(results['user']).toMatchObject({
      ...user,
      ...both('proxy.corp.example:3128'),
      ...{ bypass: ['*.corp.example', '10.*'], bypassLocal: true, bypassDialect: 'patterns' },
    });
    expect(results['userByScheme']).toMatchObject({
      ...user,
      ...{ httpProxy: 'plain:8080', httpsProxy: 'tls:8443', bypass: [], bypassLocal: false },
    });
    const pacUrl = 'http://wpad.corp.example/proxy.pac';
    expect(results['userPac']).toMatchObject({ ...user, pacUrl });
    expect(results['userAutoDetect']).toMatchObject({ ...user, autoDetect: true });
    expect(results['winHttp']).toMatchObject({
      ...{ name: 'WinHTTP settings', ...both('machine:3128'), bypass: ['intranet'] },
    });
    expect(results['policy']).toMatchObject({
      ...{ name: 'Windows policy settings', ...both('policy:3128'), bypassLocal: true },
    });
  });

  it('readSystemCertificates() takes ROOT, without what is disallowed, of no use, or in CA only', () => {
    expect(results['found']).toEqual([true, false, false, false]);
  });

  it('sallyport goes by them: the proxy of the policy, the authority in the store', async () => {
    const target = `${LAB.origins.https}/small.txt`;
    const which = await runSallyport('which', target);
    expect(which).toMatchObject({
      code: 0,
      stdout: 'http://policy:3128 (from Windows policy settings)\n',
    });
    const proxy = LAB.proxies.open.url;
    const get = await runSallyport('get', '--proxy', proxy, target);
    expect(get).toMatchObject({ code: 0, stdout: 'hello from origin\n' });
    const without = await runSallyport('get', '--no-system-ca', '--proxy', proxy, target);
    expect(without.code).toBe(6);
    expect(without.stderr).toContain('--no-system-ca');
  });
});
