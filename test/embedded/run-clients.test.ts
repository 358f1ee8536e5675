// Other people's programs through `sallyport run`: the proxy wants NTLM, the web server has a certificate of the company's
// own authority. Packages come from small registries in a folder. What is not on this machine is skipped by name.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorporateProxy } from '../../src/testing/index.ts';
import { createCorporateProxy } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, SCRATCH } from './network.ts';
import { fillIndex, fillRegistry, fillRepository } from './package-sources.ts';
import type { PrivateWeb } from './private-web.ts';
import { createPrivateAuthority, createPrivateWeb } from './private-web.ts';

const CA = join(SCRATCH, 'company-ca.pem');
const TEXT = 'hello from the company\n';
const PATIENCE = 100_000;

const starts = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
const isHere = {
  curl: starts('curl', '--version'),
  wget: starts('wget', '--version'),
  git: starts('git', '--version'),
  npm: starts('npm', '--version'),
  pip: starts('python3', '-m', 'pip', '--version'),
  // In Node 20 it reads no variable.
  fetch: starts('node', '--use-env-proxy', '-e', '0'),
};

let web: PrivateWeb;
let proxy: CorporateProxy;

beforeAll(async () => {
  const authority = await createPrivateAuthority();
  writeFileSync(CA, authority.ca);
  const folder = mkdtempSync(join(SCRATCH, 'web-'));
  web = await createPrivateWeb(folder, authority);
  writeFileSync(join(folder, 'small.txt'), TEXT);
  fillRegistry(join(folder, 'npm'), `${web.url}/npm`);
  if (isHere.pip) {
    fillIndex(join(folder, 'simple', 'tiny-thing'));
  }
  if (isHere.git) {
    fillRepository(join(folder, 'project.git'), TEXT);
  }
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
}, PATIENCE);

afterAll(async () => {
  await proxy.close();
  await web[Symbol.asyncDispose]();
});

/** Each in a folder of its own, with an empty home, and nothing but the program's own settings. */
async function run(...words: string[]) {
  const folder = mkdtempSync(join(SCRATCH, 'run-'));
  const before = proxy.log.length;
  const args = ['run', '--proxy', proxy.url, '--user', 'CORP\\alice', '--ca', CA, '--', ...words];
  const result = await sallyport(args, {
    cwd: folder,
    env: { HOME: folder, SALLYPORT_PASSWORD: ALICE.password, SALLYPORT_CA: '' },
    timeoutMs: PATIENCE * 0.8,
  });
  const passed = proxy.log.slice(before).filter(({ status }) => status === 200);
  return {
    code: result.code,
    stdout: result.stdout.toString(),
    stderr: result.stderr,
    folder,
    /** Who went through to the web server. */
    users: [...new Set(passed.map(({ user }) => user))],
  };
}
const AS_ALICE = { code: 0, users: ['CORP\\alice'] };

describe('through sallyport run', () => {
  it.skipIf(!isHere.curl)('curl fetches', async () => {
    const result = await run('curl', '-sS', `${web.url}/small.txt`);
    expect(result).toMatchObject({ ...AS_ALICE, stdout: TEXT, stderr: '' });
  });

  it.skipIf(!isHere.wget)('wget fetches', async () => {
    // wget has no variable for authorities: --ca-certificate.
    const fetch = `wget -q --ca-certificate="$SSL_CERT_FILE" -O - ${web.url}/small.txt`;
    expect(await run('sh', '-c', fetch)).toMatchObject({ ...AS_ALICE, stdout: TEXT });
  });

  it.skipIf(!isHere.fetch)('fetch() of Node fetches', async () => {
    const program = `fetch('${web.url}/small.txt').then((r) => r.text()).then((t) => process.stdout.write(t))`;
    expect(await run('node', '-e', program)).toMatchObject({ ...AS_ALICE, stdout: TEXT });
  });

  it.skipIf(!isHere.git)(
    'git clones',
    async () => {
      const result = await run('git', 'clone', '-q', `${web.url}/project.git`, 'copy');
      expect(result).toMatchObject(AS_ALICE);
      expect(readFileSync(join(result.folder, 'copy', 'small.txt'), 'utf8')).toBe(TEXT);
    },
    PATIENCE,
  );

  it.skipIf(!isHere.npm)(
    'npm installs',
    async () => {
      const result = await run(
        ...['npm', 'install', '--registry', `${web.url}/npm/`, '--no-audit', '--no-fund'],
        // The administrator's npmrc may name authorities (cafile): they are then the only ones.
        ...['--no-update-notifier', '--globalconfig', '/dev/null', 'tiny-thing'],
      );
      expect(result).toMatchObject(AS_ALICE);
      const file = join(result.folder, 'node_modules', 'tiny-thing', 'index.js');
      expect(readFileSync(file, 'utf8')).toContain('tiny');
    },
    PATIENCE,
  );

  it.skipIf(!isHere.pip)(
    'pip installs',
    async () => {
      const result = await run(
        ...['python3', '-m', 'pip', 'install', '-q', '--disable-pip-version-check'],
        ...['--no-cache-dir', '--target', 'here', '-i', `${web.url}/simple/`, 'tiny-thing'],
      );
      expect(result).toMatchObject(AS_ALICE);
      expect(readFileSync(join(result.folder, 'here', 'tiny_thing.py'), 'utf8')).toBe('TINY = 1\n');
    },
    PATIENCE,
  );
});
