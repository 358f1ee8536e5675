// A proxy with three authenticators for everybody: bursts of ours beside another user's curl. How long that one waits is
// measured by `npm run bench`; here nobody is turned away.
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { clientOf } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const BURST = 50;
const TUNNELS = 200;

describe.skipIf(!lab.available)('200 tunnels in bursts at squid with children 3', () => {
  it('all stand, and another user’s curl is never refused', { timeout: 120_000 }, async () => {
    await using upstream = await clientOf(users.alice, { proxy: proxies.ntlmFew.url });
    let isOver = false;
    const curls = curlUntil(() => isOver);
    let stood = 0;
    for (let opened = 0; opened < TUNNELS; opened += BURST) {
      const burst = Array.from({ length: BURST }, async () => {
        const socket = await upstream.openTunnel(new URL(origins.https).host);
        socket.destroy();
        stood += 1;
      });
      await Promise.all(burst);
    }
    isOver = true;
    const statuses = await curls;

    expect(stood).toBe(TUNNELS);
    expect(statuses.length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set(['200']));
  });
});

/** Bob, one download after the other; the status of each. */
async function curlUntil(isOver: () => boolean): Promise<string[]> {
  const { typed, password } = users.bob;
  const quoted = `${typed}:${password}`.replaceAll(/["\\]/g, '\\$&');
  const config = [
    `url = "${origins.http}/small.txt"`,
    `proxy = "${proxies.ntlmFew.url}"`,
    `proxy-user = "${quoted}"`,
    'noproxy = ""',
    'proxy-ntlm',
    'silent',
    'output = "/dev/null"',
    'write-out = "%{http_code}"',
  ].join('\n');
  const statuses: string[] = [];
  while (!isOver()) {
    statuses.push(await curl(config));
  }
  return statuses;
}

function curl(config: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', ['-q', '--config', '-'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (piece: Buffer) => {
      output += piece.toString();
    });
    child.on('error', reject);
    child.on('close', () => resolve(output));
    child.stdin.end(config);
  });
}
