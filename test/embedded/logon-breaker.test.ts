// One wrong logon for all processes of a user: real commands at once, one state file, a proxy that counts last legs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, SCRATCH } from './network.ts';
import type { RawServer } from './raw-server.ts';
import { createRawServer } from './raw-server.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PROCESSES = 20;
const PATIENT = { timeout: 60_000 };

let proxy: CorporateProxy;
let origin: Origin;
let state: string;
let turn = 0;

beforeAll(async () => {
  origin = await createOrigin();
});

beforeEach(async () => {
  turn += 1;
  state = join(SCRATCH, `breaker-${turn}`);
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  return () => proxy.close();
});

afterAll(() => origin.close());

const environment = (password: string) => ({
  SALLYPORT_STATE_DIR: state,
  SALLYPORT_USER: 'CORP\\alice',
  SALLYPORT_PASSWORD: password,
});
const get = (password: string, url = proxy.url) =>
  sallyport(['get', '--proxy', url, `${origin.url}/bytes/4`], { env: environment(password) });
const getAtOnce = (password: string) =>
  Promise.all(Array.from({ length: PROCESSES }, () => get(password)));
const lastLegs = () => proxy.counts().finalLegs['CORP\\alice'] ?? 0;

describe('20 processes at once', () => {
  it('send a wrong password once, and all say so', PATIENT, async () => {
    const results = await getAtOnce('Wrong-Secret9');
    expect(lastLegs()).toBe(1);
    expect(new Set(results.map(({ code }) => code))).toEqual(new Set([4]));
    const blocked = results.filter(({ stderr }) => stderr.includes('nothing was sent to'));
    expect(blocked).toHaveLength(PROCESSES - 1);
    for (const { stderr } of blocked) {
      expect(stderr).toMatch(/127\.0\.0\.1:\d+ refused CORP\\alice (a moment|\d+ s) ago/);
      expect(stderr).toContain('sallyport retry URL');
    }
    // The right one is another secret.
    expect(await get(ALICE.password)).toMatchObject({ code: 0, stderr: '' });
    expect(await get('Wrong-Secret9')).toMatchObject({ code: 4 });
    expect(lastLegs()).toBe(2);
  });

  it('all succeed with the right password', PATIENT, async () => {
    const results = await getAtOnce(ALICE.password);
    expect(new Set(results.map(({ code, stderr }) => `${code} ${stderr}`))).toEqual(
      new Set(['0 ']),
    );
    const text = readFileSync(join(state, 'logons.json'), 'utf8');
    expect(text).toContain('"verdict":"proven"');
    expect(text).not.toContain(ALICE.password);
    expect(readdirSync(state)).toEqual(['logons.json']);
    expect(statSync(join(state, 'logons.json')).mode & 0o777).toBe(0o600);
  });
});

describe('sallyport retry', () => {
  it('lets a refused password be sent again, once', async () => {
    const retry = () =>
      sallyport(['retry', '--json', '--proxy', proxy.url, `${origin.url}/`], {
        env: { SALLYPORT_STATE_DIR: state },
      });
    await get('Wrong-Secret9');
    const { code, stdout } = await retry();
    expect([code, JSON.parse(stdout.toString())]).toEqual([
      0,
      expect.objectContaining({ ok: true, forgotten: 1, accounts: ['corp\\alice'] }),
    ]);
    await get('Wrong-Secret9');
    await get('Wrong-Secret9');
    expect(lastLegs()).toBe(2);
    const text = await sallyport(['retry', 'http://elsewhere.example/'], {
      env: { SALLYPORT_STATE_DIR: state },
    });
    expect(text.stdout.toString()).toBe(
      'No refusal was remembered (direct (default); elsewhere.example)\n',
    );
  });

  it('says so when the memory cannot be changed', async () => {
    mkdirSync(join(state, 'logons.json'), { recursive: true });
    const { code, stderr } = await sallyport(['retry', `${origin.url}/`], {
      env: { SALLYPORT_STATE_DIR: state },
    });
    expect([code, stderr]).toEqual([9, expect.stringContaining('logons.json is not a file')]);
    // A sign-on goes on without it.
    expect(await get(ALICE.password)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a process that dies', () => {
  it('between the legs gives its turn to the next within seconds', PATIENT, async () => {
    await using gateway = await createSilentFirst(proxy.port);
    const args = [MAIN, 'get', '--proxy', gateway.url, `${origin.url}/bytes/4`];
    const first = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], ...environment('Wrong-Secret9') },
      stdio: 'ignore',
    });
    await gateway.firstLegSent;
    const others = [1, 2, 3].map(() => get('Wrong-Secret9', gateway.url));
    // Long enough for them to stand at the gate: none has gone.
    await expect(Promise.race([...others, pause(1500)])).resolves.toBe('nothing');
    expect(lastLegs()).toBe(0);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const killed = performance.now();
    const codes = (await Promise.all(others)).map(({ code }) => code);
    expect(performance.now() - killed).toBeLessThan(5000);
    expect([codes, lastLegs()]).toEqual([[4, 4, 4], 1]);
    expect(await get(ALICE.password, gateway.url)).toMatchObject({ code: 0, stderr: '' });
  });

  it('right after the refusal has said so first', async () => {
    const program = `
      import { request } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      request(process.argv[1] + '/bytes/4', { proxy: process.argv[2] }).catch(({ code }) => {
        process.exit(code === 'CREDENTIALS_REFUSED' ? 4 : 1);
      });`;
    const run = async () => {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '--eval', program, origin.url, proxy.url],
        { env: { PATH: process.env['PATH'], ...environment('Wrong-Secret9') }, stdio: 'ignore' },
      );
      return (await once(child, 'exit'))[0];
    };
    expect([await run(), await run(), await run(), lastLegs()]).toEqual([4, 4, 4, 1]);
  });
});

describe('without a place for the memory', () => {
  it('a command signs on, and creates no home', async () => {
    const home = join(SCRATCH, 'no-home');
    const { code, stderr } = await sallyport(
      ['get', '--proxy', proxy.url, `${origin.url}/bytes/4`],
      { env: { ...environment(ALICE.password), SALLYPORT_STATE_DIR: '', HOME: home } },
    );
    expect([code, stderr, existsSync(home)]).toEqual([0, '', false]);
  });

  it('-v says that others will not know', async () => {
    const { code, stderr } = await sallyport(
      ['get', '-v', '--proxy', proxy.url, `${origin.url}/bytes/4`],
      { env: { ...environment(ALICE.password), SALLYPORT_STATE_DIR: '/dev/null/state' } },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('* refusals cannot be remembered for other commands: /dev/null/state');
  });
});

const pause = (ms: number): Promise<string> =>
  new Promise((resolve) => {
    setTimeout(() => resolve('nothing'), ms);
  });

/** Does not answer the first leg of the first connection that sends one; passes everything else on to the proxy. */
async function createSilentFirst(
  port: number,
): Promise<RawServer & { readonly firstLegSent: Promise<void> }> {
  let hasKept = false;
  let tell = (): void => undefined;
  const firstLegSent = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const server = await createRawServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    client.on('data', (bytes) => {
      if (!hasKept && bytes.includes('Proxy-Authorization')) {
        hasKept = true;
        tell();
        return;
      }
      upstream.write(bytes);
    });
    upstream.pipe(client);
  });
  return Object.assign(server, { firstLegSent });
}
