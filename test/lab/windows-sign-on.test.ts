// The product on Windows Node under Wine: `sallyport get URL` signs on by SSPI as whoever is signed in, against the real
// domain and the real squids.
import { afterAll, describe, expect, it } from 'vitest';
import { finalLegs, proxyLog } from './access-log.ts';
import { ensureLab, LAB } from './lab.ts';
import type { WindowsRun } from './windows.ts';
import { endWindows, runOnWindows, windowsPath } from './windows.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const HTTPS = `${origins.https}/small.txt`;
const HELLO = 'hello from origin\n';
const NODES = ['20', '22'] as const;
const CA = { SALLYPORT_CA: windowsPath(LAB.ca) };
const NO_TICKET = { KRB5CCNAME: 'FILE:/nonexistent' };

function get(
  run: Pick<WindowsRun, 'node' | 'as' | 'env'>,
  proxy: keyof typeof proxies,
  ...args: readonly string[]
) {
  return runOnWindows({
    ...run,
    program: 'dist/cli/main.js',
    args: ['get', '-v', '--proxy', proxies[proxy].url, ...args, HTTPS],
    env: { ...CA, ...run.env },
  });
}

/** Requests of `-v` that carried a token for the proxy. */
function tokenLegs(stderr: string): number {
  return stderr.split('\n').filter((line) => /^> .* with \w+ for the proxy$/.test(line.trim()))
    .length;
}

afterAll(endWindows);

describe.skipIf(!lab.available).each(NODES)('Windows Node %s', (node) => {
  it.each(['negotiate', 'kerberos', 'all', 'tls'] as const)(
    'SSPI Negotiate, the signed-in user, %s: one leg',
    async (proxy) => {
      const { code, stdout, stderr } = await get({ node }, proxy);
      expect([stderr, code, stdout]).toEqual([
        expect.stringMatching(/negotiate: Kerberos by SSPI \(secur32.dll\) as .* for HTTP\/proxy/),
        0,
        HELLO,
      ]);
      expect(tokenLegs(stderr)).toBe(1);
    },
  );

  it.each(['ntlm', 'ntlmClose'] as const)(
    'SSPI NTLM, the signed-in user, %s: two legs',
    async (proxy) => {
      const mark = await proxyLog(proxy).mark();
      const { code, stdout, stderr } = await get({ node, as: 'alice' }, proxy);
      expect([stderr, code, stdout]).toEqual([
        expect.stringMatching(/ntlm: NTLM by SSPI \(secur32.dll\)/),
        0,
        HELLO,
      ]);
      expect(tokenLegs(stderr)).toBe(2);
      const [last] = finalLegs(await mark.entries(3));
      expect(last?.user).toBe('CORP\\alice');
    },
  );

  it('SSPI Negotiate falling to NTLM, the signed-in user without a ticket', async () => {
    const { code, stdout, stderr } = await get({ node, as: 'alice', env: NO_TICKET }, 'spnego');
    expect([stderr, code, stdout]).toEqual([expect.stringContaining('NTLM by SSPI'), 0, HELLO]);
    expect(tokenLegs(stderr)).toBe(2);
  });

  it.each([
    ['ntlm', 'bob'],
    ['ntlm', 'zoe'],
    ['spnego', 'bob'],
    ['spnego', 'zoe'],
  ] as const)('a name and a password, %s, %s', async (proxy, person) => {
    const { typed, password } = users[person];
    const mark = await proxyLog(proxy).mark();
    const { code, stdout, stderr } = await get(
      { node, env: { ...NO_TICKET, SALLYPORT_PASSWORD: password } },
      proxy,
      ...['--user', typed],
    );
    expect([stderr, code, stdout]).toEqual([expect.stringContaining(typed), 0, HELLO]);
    expect(finalLegs(await mark.entries(2))).toHaveLength(1);
  });

  it('forbids NTLM where it is forbidden, whatever SSPI would do', async () => {
    const mark = await proxyLog('spnego').mark();
    const { code } = await get({ node, as: 'alice', env: NO_TICKET }, 'spnego', '--no-ntlm');
    expect(code).not.toBe(0);
    const entries = await mark.entries(1);
    expect(entries.filter(({ auth }) => auth?.ntlmType)).toEqual([]);
  });
});
