// The built command on Windows Node under Wine: who is signed in to Windows gets through each proxy with no option about
// credentials, and who gives a name and a password, too. The proxies' own logs say who came.
import { afterAll, describe, expect, it } from 'vitest';
import { finalLegs, proxyLog } from './access-log.ts';
import { ensureLab, LAB } from './lab.ts';
import type { WindowsRun } from './windows.ts';
import { endWindows, runOnWindows, windowsPath } from './windows.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const HELLO = 'hello from origin\n';
const NO_TICKET = { KRB5CCNAME: 'FILE:/nonexistent' };
type Proxy = 'ntlm' | 'kerberos' | 'negotiate' | 'all' | 'tls' | 'spnego' | 'ntlmClose';

afterAll(endWindows);

describe.skipIf(!lab.available).each(['20', '22'] as const)(
  'sallyport on Windows Node %s',
  (node) => {
    it.each(['negotiate', 'kerberos', 'all', 'tls'] as const)(
      'gets through %s with the ticket of the signed-in user, in one leg',
      async (proxy) => {
        const log = proxyLog(proxy === 'tls' ? 'all' : proxy);
        const mark = await log.mark();
        const run = await get(proxy, { node });
        expect(run).toMatchObject({ code: 0, stdout: HELLO });
        expect(run.stderr).toContain('Kerberos by SSPI (secur32.dll)');
        expect(finalLegs(await mark.entries(2))).toMatchObject([
          { user: 'alice@CORP.EXAMPLE', status: 200 },
        ]);
      },
    );

    it.each(['ntlm', 'ntlmClose', 'spnego', 'all'] as const)(
      'gets through %s with the NTLM credentials Windows keeps',
      async (proxy) => {
        const mark = await proxyLog(proxy).mark();
        const run = await get(proxy, { node, as: 'alice', env: NO_TICKET });
        expect(run).toMatchObject({ code: 0, stdout: HELLO });
        expect(run.stderr).toContain('NTLM by SSPI (secur32.dll)');
        expect(finalLegs(await mark.entries(3))).toMatchObject([
          { user: 'CORP\\alice', status: 200 },
        ]);
      },
    );

    it.each([
      ['ntlm', 'bob'],
      ['ntlm', 'zoe'],
      ['spnego', 'bob'],
      ['spnego', 'zoe'],
    ] as const)('gets through %s as %s with the password', async (proxy, who) => {
      const { typed, password, name } = users[who];
      const mark = await proxyLog(proxy).mark();
      const env = { SALLYPORT_USER: typed, SALLYPORT_PASSWORD: password };
      expect(await get(proxy, { node, env })).toMatchObject({ code: 0, stdout: HELLO });
      const [leg] = finalLegs(await mark.entries(2));
      expect(leg).toMatchObject({ status: 200 });
      expect(leg?.user?.toLowerCase()).toContain(name);
    });
  },
);

function get(proxy: Proxy, run: Omit<WindowsRun, 'program' | 'args'>) {
  return runOnWindows({
    ...run,
    program: 'dist/cli/main.js',
    args: ['get', '-v', '--proxy', proxies[proxy].url, `${origins.https}/small.txt`],
    env: { SALLYPORT_CA: windowsPath(LAB.ca), ...run.env },
  });
}
