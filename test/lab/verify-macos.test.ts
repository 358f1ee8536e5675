// The script for owners of a Mac, with Heimdal and MIT standing in for GSS.framework: it runs to its end and can fail.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const SCRIPT = fileURLToPath(new URL('../../scripts/verify-macos.mjs', import.meta.url));

describe.skipIf(!lab.available)('scripts/verify-macos.mjs', () => {
  let heimdal = { code: -1, stdout: '' };
  beforeAll(async () => {
    heimdal = await verify('--library', 'libgssapi.so.3', '--spn', 'HTTP/proxy.corp.example');
  });

  it('finds nothing wrong with Heimdal, and makes a token for a real service', () => {
    expect(heimdal.stdout).toContain('GOOD     GSSAPI (Heimdal, libgssapi.so.3), 9 checks');
    expect(heimdal.stdout).toMatch(
      /^ok {7}a token for HTTP\S+: \d+ bytes as alice@CORP\.EXAMPLE$/mu,
    );
    expect(heimdal.stdout).not.toContain('FAILED');
    expect(heimdal.code).toBe(0);
  });

  it('fails when the library is none', async () => {
    const { code, stdout } = await verify('--library', 'libc.so.6');
    expect(stdout).toMatch(/^FAILED .*gss_indicate_mechs/mu);
    expect(code).toBe(1);
  });
});

function verify(...words: readonly string[]): Promise<{ code: number; stdout: string }> {
  const env = { ...process.env, ...LAB.environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...words], { env }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout });
    });
  });
}
