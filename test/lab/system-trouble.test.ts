// What must not happen when the operating system's sign-on goes wrong: a second wrong logon, a right password or ticket
// shut out, one who waits for another's wait.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { runModule, sallyport } from './clients.ts';
import { ensureLab, LAB } from './lab.ts';
import { krb5Config, silentKdc } from './silent-kdc.ts';

const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-trouble-'));
const NO_TICKET = { ...LAB.environment, KRB5CCNAME: 'FILE:/nonexistent' };
const ALICE = { name: 'alice', domain: 'CORP', password: users.alice.password };
/** One try of the library is given up after 10 s; two in a row are more than anybody should wait. */
const ONE_TRY_MS = 19_000;

/** Without waiting for the call that was given up, as the command ends. */
const END_NOW = "process.stdout.write('', () => process.kill(process.pid, 'SIGKILL'));";
const AS_ALICE = `user: 'CORP\\\\alice', password: '${users.alice.password}'`;

let turn = 0;
let memory: { SALLYPORT_STATE_DIR: string };
beforeEach(() => {
  turn += 1;
  memory = { SALLYPORT_STATE_DIR: join(SCRATCH, `state-${turn}`) };
});
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));

describe.skipIf(!lab.available)('with a domain controller that is silent', () => {
  async function stage() {
    const kdc = await silentKdc();
    const proxy = await createCorporateProxy({ schemes: ['Negotiate', 'NTLM'], users: [ALICE] });
    const origin = await createOrigin();
    const env = { ...NO_TICKET, ...memory, KRB5_CONFIG: krb5Config(SCRATCH, kdc.port) };
    return {
      ...{ proxy, origin, env },
      [Symbol.asyncDispose]: async () => {
        await Promise.all([proxy.close(), origin.close(), kdc[Symbol.asyncDispose]()]);
      },
    };
  }

  it('a wrong password costs one logon, however many commands', async () => {
    await using scene = await stage();
    const env = { ...scene.env, SALLYPORT_PASSWORD: 'wrong' };
    const get = () =>
      sallyport(
        ['get', '--proxy', scene.proxy.url, '--user', users.alice.typed, `${scene.origin.url}/`],
        env,
      );
    const first = await get();
    const second = await get();
    expect([first.code, second.code]).toEqual([4, 4]);
    expect(second.stderr).toContain('nothing was sent');
    expect(scene.proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
  });

  it('eight at once wait for one of them, and then go by NTLM', async () => {
    await using scene = await stage();
    const { stdout } = await runModule(manyRequests(scene.proxy, scene.origin), scene.env);
    const [ms, ...schemes] = stdout.trim().split(' ');
    expect(schemes).toEqual(Array(8).fill('Negotiate'));
    expect(Number(ms)).toBeLessThan(ONE_TRY_MS);
  });

  it('a signal that aborts is heard', async () => {
    await using scene = await stage();
    const { stdout } = await runModule(
      `const upstream = await createUpstream({ proxy: '${scene.proxy.url}', ${AS_ALICE} });
      const started = performance.now();
      const call = upstream.openTunnel('a.example:443', { signal: AbortSignal.timeout(300) });
      const outcome = await call.then(() => 'open', (error) => error.name);
      console.log(outcome, Math.round(performance.now() - started));
      ${END_NOW}`,
      scene.env,
    );
    const [outcome, ms] = stdout.trim().split(' ');
    expect(outcome).toBe('TimeoutError');
    expect(Number(ms)).toBeLessThan(5_000);
  });
});

function manyRequests(proxy: CorporateProxy, origin: Origin): string {
  return `const upstream = await createUpstream({ proxy: '${proxy.url}', ${AS_ALICE} });
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 8 }, () => upstream.request('${origin.url}/bytes/1')));
    for (const { body } of answers) { body.resume(); }
    console.log(Math.round(performance.now() - started), ...answers.map(({ scheme }) => scheme));
    ${END_NOW}`;
}

describe.skipIf(!lab.available)('a keytab with an old password', () => {
  it('is shown to the domain once, however many commands', async () => {
    const keytab = join(SCRATCH, 'old.keytab');
    execFileSync('ktutil', {
      input: `addent -password -p bob@CORP.EXAMPLE -k 1 -e aes256-cts-hmac-sha1-96\nan older one\nwkt ${keytab}\n`,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const env = {
      ...NO_TICKET,
      ...memory,
      KRB5CCNAME: 'MEMORY:',
      KRB5_CLIENT_KTNAME: `FILE:${keytab}`,
    };
    const args = ['get', '--proxy', proxies.negotiate.url, `${origins.http}/small.txt`];
    const first = await sallyport(args, env);
    const second = await sallyport(args, env);
    expect([first.code, second.code]).toEqual([4, 4]);
    expect(first.stderr).toContain('was refused');
    expect(second.stderr).toContain('nothing was sent');
  });
});

describe.skipIf(!lab.available)('a ticket that is refused', () => {
  it('for the sake of denied URLs is good for the next one', async () => {
    const urls = ['small.txt', 'bob-only/1', 'bob-only/2', 'bob-only/3', 'bob-only/4', 'small.txt'];
    const { stdout } = await runModule(
      `const upstream = await createUpstream({ proxy: '${proxies.all.url}' });
      for (const path of ${JSON.stringify(urls)}) {
        const outcome = await upstream.request('${origins.http}/' + path).then(
          ({ status, body }) => { body.resume(); return status; },
          ({ code }) => code,
        );
        console.log(outcome);
      }
      await upstream.close();`,
      { ...LAB.environment, ...memory, NTLMUSER: 'alice' },
    );
    const outcomes = stdout.trim().split('\n');
    expect([outcomes[0], outcomes.at(-1)]).toEqual(['200', '200']);
    expect(outcomes.slice(1, 3)).toEqual(['PROXY_DENIED', 'PROXY_DENIED']);
    expect(outcomes.slice(3, 5).every((code) => /REFUSED|DENIED/.test(code))).toBe(true);
  });

  it('loses no upload that can be sent only once', async () => {
    const { code, stdout } = await runModule(
      `import { Readable } from 'node:stream';
      const upstream = await createUpstream({ proxy: '${proxies.rolled.url}' });
      const body = Readable.from([Buffer.from('one'), Buffer.from('two')]);
      const answer = await upstream.request('${origins.http}/small.txt', { method: 'POST', body });
      answer.body.resume();
      console.log(answer.status, answer.scheme);
      await upstream.close();`,
      { ...LAB.environment, ...memory, NTLMUSER: 'alice' },
    );
    expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/^\d{3} NTLM$/)]);
  });
});
