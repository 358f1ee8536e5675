// `sallyport doctor` in the domain: the ticket it finds, and what is missing where there is none. Nothing is typed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/findings.ts';
import type { Verdict } from '../../src/doctor/verdict.ts';
import { proxyLog } from './access-log.ts';
import { sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';
import type { WindowsResult } from './windows.ts';
import { endWindows, runOnWindows } from './windows.ts';

const lab = await ensureLab();
const { proxies, origins, environment } = LAB;
const HTTPS = `${origins.https}/small.txt`;
/** What a ticket looks like in a header: SPNEGO or Kerberos in base64. */
const TOKEN = /\bY[GI][A-Za-z0-9+/]{40}/;

interface JsonReport {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
}

async function doctor(args: readonly string[], env: Readonly<Record<string, string>>) {
  const { code, stdout } = await sallyport(['doctor', '--json', ...args, HTTPS], env);
  const report = JSON.parse(stdout) as JsonReport;
  expect(stdout).not.toMatch(TOKEN);
  const at = (id: Finding['id']) => report.findings.find((one) => one.id === id);
  return { code, stdout, at, ...report };
}

describe.skipIf(!lab.available)('sallyport doctor in the domain', () => {
  it('finds the ticket and signs on with it', async () => {
    const mark = await proxyLog('kerberos').mark();
    const found = await doctor(['--proxy', proxies.kerberos.url], environment);
    expect([found.code, found.ok, found.verdict.works]).toEqual([0, true, true]);
    expect(found.at('kerberos')).toMatchObject({
      status: 'ok',
      data: { principal: 'alice@CORP.EXAMPLE', spn: 'HTTP/proxy.corp.example' },
    });
    expect(found.at('handshake')?.data).toMatchObject({
      ...{ scheme: 'Negotiate', identity: 'alice@CORP.EXAMPLE', legs: 2 },
    });
    const entries = await mark.entries(3);
    expect(entries.map(({ status, auth }) => [status, auth !== null])).toEqual([
      ...[[407, false] as const, [407, false] as const, [200, true] as const],
    ]);
  });

  it.each([['MIT'], ['Heimdal']])(
    'tells that there is no ticket, and to get one: %s',
    async (library) => {
      const env = {
        ...environment,
        KRB5CCNAME: 'FILE:/nonexistent/alice',
        ...(library === 'Heimdal' && { SALLYPORT_SECURITY_LIBRARY: 'libgssapi.so.3' }),
      };
      const found = await doctor(['--proxy', proxies.kerberos.url], env);
      expect([found.code, found.verdict]).toMatchObject([
        4,
        {
          ...{ works: false, code: 'TICKET_MISSING', blame: 'credentials' },
          next: expect.stringContaining('kinit'),
        },
      ]);
      expect(found.at('kerberos')).toMatchObject({ status: 'problem', code: 'TICKET_MISSING' });
      expect(found.stdout).not.toContain('/nonexistent');
    },
  );

  it('tells that the domain does not know the proxy by its address', async () => {
    const { port } = proxies.kerberos;
    const found = await doctor(['--proxy', `http://127.0.0.11:${port}`], environment);
    expect([found.code, found.verdict]).toMatchObject([5, { works: false, code: 'SPN_UNKNOWN' }]);
    expect(found.at('kerberos')).toMatchObject({
      status: 'problem',
      code: 'SPN_UNKNOWN',
      data: { spn: 'HTTP/127.0.0.11' },
    });
    expect(found.at('proxy-address')?.status).toBe('note');
  });

  it('tells that the ticket is refused, and that NTLM has nothing to go on with', async () => {
    const found = await doctor(['--proxy', proxies.rolled.url], environment);
    expect([found.code, found.verdict.code]).toEqual([5, 'TICKET_REFUSED']);
    expect(found.at('kerberos')?.status).toBe('ok');
  });

  it('finds the credentials winbind remembers', async () => {
    const env = { ...environment, KRB5CCNAME: 'FILE:/nonexistent/alice', NTLMUSER: 'alice' };
    const found = await doctor(['--proxy', proxies.ntlm.url], env);
    expect([found.code, found.at('handshake')?.data?.['scheme']]).toEqual([0, 'NTLM']);
    expect(found.at('ntlm')?.status).toBe('ok');
    expect(found.at('kerberos')?.status).toBe('note');
    expect(found.stdout).not.toContain('TlRMTVNTU');
  });

  it('speaks TLS with the proxy, and names who issued its certificate', async () => {
    const found = await doctor(['--proxy', proxies.tls.url], environment);
    expect([found.code, found.at('proxy-tls')?.status]).toEqual([0, 'ok']);
    expect(found.at('proxy-offers')?.data?.['offers']).toEqual([
      ...['Negotiate', 'NTLM', 'Digest', 'Basic'],
    ]);
  });
});

describe.skipIf(!lab.available)('sallyport doctor on Windows', () => {
  let windows: WindowsResult;
  // Outside of a test: the first run copies the build, whose open folders would count as leaks of that test.
  beforeAll(async () => {
    const args = ['doctor', '--json', '--proxy', proxies.kerberos.url, HTTPS];
    windows = await runOnWindows({ node: '20', as: 'alice', program: 'dist/cli/main.js', args });
  });
  afterAll(endWindows);

  it('finds what SSPI has, and signs on with it', () => {
    const { code, stdout } = windows;
    const { findings } = JSON.parse(stdout) as JsonReport;
    const told = Object.fromEntries(findings.map(({ id, status }) => [id, status]));
    expect([code, told]).toMatchObject([
      0,
      { 'security-library': 'ok', kerberos: 'ok', ntlm: 'ok', handshake: 'ok' },
    ]);
    expect(stdout).toContain('SSPI');
    expect(stdout).not.toMatch(TOKEN);
  });
});
