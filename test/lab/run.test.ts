// `sallyport run` in front of squid: a program that knows no token, and one behind Kerberos as the signed-in user. What the
// embedded proxy can show is test/embedded/run-clients.test.ts's; Java never sends 127.0.0.0/8 to a proxy.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { proxyLog } from './access-log.ts';
import { sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { alice } = LAB.users;
const starts = (command: string): boolean =>
  spawnSync(command, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
const FETCH = `public class Fetch {
  public static void main(String[] args) throws Exception {
    System.out.write(new java.net.URL(args[0]).openConnection().getInputStream().readAllBytes());
    System.out.flush();
  }
}
`;

describe.skipIf(!lab.available)('through sallyport run', () => {
  it.skipIf(!starts('java'))('Java fetches by NTLM, known by its user', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-java-'));
    const file = join(folder, 'Fetch.java');
    writeFileSync(file, FETCH);
    const mark = await proxyLog('ntlm').mark();
    const url = `${LAB.origins.http}/small.txt`;
    const { code, stdout, stderr } = await sallyport(
      ['run', '--proxy', LAB.proxies.ntlm.url, '--user', alice.typed, '--', 'java', file, url],
      { SALLYPORT_PASSWORD: alice.password },
    );
    rmSync(folder, { recursive: true });
    expect([code, stdout]).toEqual([0, 'hello from origin\n']);
    expect(stderr).toMatch(/^Picked up JAVA_TOOL_OPTIONS: [^@]*\n$/);
    const passed = (await mark.entries()).filter((entry) => entry.status === 200);
    expect(passed).toContainEqual(expect.objectContaining({ url, user: alice.typed }));
  });

  it.skipIf(!starts('curl'))('curl fetches by Kerberos, as the signed-in user', async () => {
    const mark = await proxyLog('kerberos').mark();
    const url = `${LAB.origins.https}/small.txt`;
    const { code, stdout, stderr } = await sallyport(
      ['run', '--proxy', LAB.proxies.kerberos.url, '--', 'curl', '-sS', url],
      { ...LAB.environment, SALLYPORT_STATE_DIR: mkdtempSync(join(tmpdir(), 'sallyport-state-')) },
    );
    expect([code, stdout, stderr]).toEqual([0, 'hello from origin\n', '']);
    const passed = (await mark.entries()).filter((entry) => entry.status === 200);
    expect(passed.map(({ auth }) => auth?.scheme)).toContain('Negotiate');
  });
});
