// `sallyport serve` with the Kerberos ticket of the signed-in user, which expires and is renewed while it runs.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-ticket-'));
const ENV = { ...LAB.environment, KRB5CCNAME: `FILE:${join(SCRATCH, 'cache')}` };
/** What had no ticket is tried again after 5 s; the rest is for a slow machine. */
const NOTICED_MS = 30_000;

afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

function kinit(...words: readonly string[]): void {
  const { name, password } = LAB.users.alice;
  const env = { ...process.env, ...ENV };
  const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
  execFileSync('kinit', [...words, name], { input: `${password}\n`, env, stdio });
}

async function serve() {
  const args = ['serve', '--json', '--listen', '0', '--same-user', '--warm', '0'];
  const proxy = ['--proxy', LAB.proxies.kerberos.url];
  const child = spawn(process.execPath, [MAIN, ...args, ...proxy], {
    env: { PATH: process.env['PATH'], ...ENV, SALLYPORT_STATE_DIR: join(SCRATCH, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    port: Number(new URL(JSON.parse(String(line)).url).port),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** The head of what a CONNECT of its own is answered with. */
async function tunnelThrough(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const { host } = new URL(LAB.origins.https);
  socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let text = '';
  for await (const bytes of socket) {
    text += bytes;
    if (text.includes('\r\n\r\n')) {
      break;
    }
  }
  return text.slice(0, text.indexOf('\r\n\r\n'));
}

describe.skipIf(!lab.available)('sallyport serve with a ticket', () => {
  it('says that it has expired, and signs on with the new one soon', {
    timeout: 90_000,
  }, async () => {
    kinit();
    await using proxy = await serve();
    expect(await tunnelThrough(proxy.port)).toMatch(/^HTTP\/1\.1 200 /);
    kinit('-l', '1s');
    await pause(2500);
    const expired = await tunnelThrough(proxy.port);
    expect(expired).toMatch(/^HTTP\/1\.1 502 /);
    expect(expired).toContain('TICKET_EXPIRED');

    kinit();
    const renewed = performance.now();
    let answer = await tunnelThrough(proxy.port);
    while (!answer.startsWith('HTTP/1.1 200 ') && performance.now() - renewed < NOTICED_MS) {
      await pause(500);
      answer = await tunnelThrough(proxy.port);
    }
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});
