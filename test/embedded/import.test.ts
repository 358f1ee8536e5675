// `sallyport import`: a cntlm.conf becomes the configuration file, by which the next command gets through; nothing is written over.
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, SCRATCH } from './network.ts';

describe('sallyport import', () => {
  it('writes a file by which get goes through the same proxy as the same user', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    const { source, target, home } = place(
      `Username ${ALICE.name}\nDomain ${ALICE.domain}\nPassword ${ALICE.password}\nProxy ${new URL(proxy.url).host}\n`,
    );
    const { code, stdout, stderr } = await sallyport(['import', source], { env: home });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.toString().split('\n')).toEqual([
      expect.stringContaining('cntlm.conf:1 Username: taken as user'),
      expect.stringContaining('cntlm.conf:2 Domain: taken as user'),
      expect.stringContaining('cntlm.conf:3 Password: not taken: a password stays out of files'),
      'cntlm.conf:4 Proxy: taken as proxy',
      `Written: ${target}`,
      expect.stringContaining('sallyport doctor'),
      '',
    ]);
    expect(readFileSync(target, 'utf8')).not.toContain(ALICE.password);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    const env = { ...home, SALLYPORT_PASSWORD: ALICE.password };
    const got = await sallyport(['get', `${origin.url}/bytes/10`], { env });
    expect([got.code, got.stdout.length]).toEqual([0, 10]);
    expect(proxy.counts().finalLegs['CORP\\alice']).toBe(1);
  });

  it('replaces a file only with --force', async () => {
    const { source, target, home } = place('Proxy proxy.corp.example:3128\n');
    await sallyport(['import', source], { env: home });
    writeFileSync(source, 'Proxy other.corp.example:3128\n');
    const refused = await sallyport(['import', source], { env: home });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`${target} is there already. Give --force`);
    expect(readFileSync(target, 'utf8')).toContain('proxy.corp.example');
    const forced = await sallyport(['import', source, '--force', '--json'], { env: home });
    expect(JSON.parse(forced.stdout.toString())).toEqual({
      ok: true,
      path: target,
      settings: [{ line: 1, name: 'Proxy', keys: ['proxy'], note: '' }],
    });
    expect(readFileSync(target, 'utf8')).toContain('other.corp.example');
  });

  it.each([
    ['', 'has nothing that can be taken over'],
    ['Proxy\n', ':1 is no line of cntlm'],
    [`# ${'x'.repeat(300_000)}`, 'is larger than 256 KiB'],
  ])('writes nothing of a file that is none', async (text, message) => {
    const { source, target, home } = place(text);
    const { code, stderr } = await sallyport(['import', source], { env: home });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(target)).toBe(false);
  });

  function place(text: string) {
    const folder = mkdtempSync(join(SCRATCH, 'import-'));
    const source = join(folder, 'cntlm.conf');
    writeFileSync(source, text);
    const target = join(folder, 'sallyport', 'config.json');
    const home = { SALLYPORT_CONFIG: target };
    return { source, target, home };
  }
});
