// The local proxy between programs of the field and the lab's squids: what an origin signs on is the client's own.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createProxyServer } from '../../src/server/local-proxy.ts';
import { createUpstream } from '../../src/upstream/one-shot.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const run = promisify(execFile);

async function curl(proxy: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('curl', ['-sS', '-m', '20', '-x', proxy, ...args]);
  return stdout;
}

async function stage() {
  const { typed: user, password } = LAB.users.alice;
  const upstream = await createUpstream({ proxy: LAB.proxies.ntlm.url, user, password, env: {} });
  const proxy = await createProxyServer({ upstream });
  return {
    url: proxy.url,
    [Symbol.asyncDispose]: async () => {
      await proxy.close();
      await upstream.close();
    },
  };
}

describe.skipIf(!lab.available)('a local proxy before squid with NTLM', () => {
  it.each([
    ['forwarded', []],
    ['in a tunnel', ['--proxytunnel']],
  ])('lets curl sign on to an origin by NTLM itself, %s', async (_claim, flags) => {
    await using proxy = await stage();
    const { typed, password } = LAB.users.alice;
    const text = await curl(
      proxy.url,
      ...flags,
      '--ntlm',
      '-u',
      `${typed}:${password}`,
      ...['-w', ' %{http_code} %{num_connects}'],
      `${LAB.origins.ntlm}/${LAB.files.small.name}`,
    );
    expect(text).toMatch(/ 200 1$/);
  });

  it('hands the 401 of an origin to a client that has no credentials', async () => {
    await using proxy = await stage();
    const text = await curl(proxy.url, '-o', '/dev/null', '-w', '%{http_code}', LAB.origins.ntlm);
    expect(text).toBe('401');
  });

  it('carries 40 small downloads on one connection', async () => {
    await using proxy = await stage();
    const url = `${LAB.origins.http}/${LAB.files.small.name}?[1-40]`;
    const text = await curl(
      proxy.url,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{num_connects}\n',
      url,
    );
    expect(text.trim().split('\n')).toEqual([
      '200 1',
      ...Array.from({ length: 39 }, () => '200 0'),
    ]);
  });
});
