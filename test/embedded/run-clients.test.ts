// Other people's programs through `sallyport run`: the proxy wants NTLM, the web server has a certificate of the company's
// own authority. Packages come from small registries in a folder. What is not on this machine is skipped by name.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorporateProxy } from '../../src/testing/index.ts';
import { createCorporateProxy } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, SCRATCH } from './network.ts';
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
  fillRegistry(join(folder, 'npm'));
  if (isHere.pip) {
    fillIndex(join(folder, 'simple', 'tiny-thing'));
  }
  if (isHere.git) {
    fillRepository(join(folder, 'project.git'));
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

/** One package, as a registry tells of it. */
function fillRegistry(folder: string): void {
  const source = mkdtempSync(join(SCRATCH, 'npm-source-'));
  mkdirSync(join(source, 'package'));
  mkdirSync(join(folder, 'tiny-thing'), { recursive: true });
  const about = { name: 'tiny-thing', version: '1.0.0' };
  writeFileSync(join(source, 'package', 'package.json'), JSON.stringify(about));
  writeFileSync(join(source, 'package', 'index.js'), "module.exports = 'tiny';\n");
  const tarball = join(folder, 'tiny-thing', 'tiny-thing-1.0.0.tgz');
  execFileSync('tar', ['czf', tarball, '-C', source, 'package']);
  const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64');
  const dist = {
    tarball: `${web.url}/npm/tiny-thing/tiny-thing-1.0.0.tgz`,
    integrity: `sha512-${digest}`,
  };
  const versions = { '1.0.0': { ...about, dist } };
  writeFileSync(
    join(folder, 'tiny-thing', 'index.json'),
    JSON.stringify({ name: 'tiny-thing', 'dist-tags': { latest: '1.0.0' }, versions }),
  );
}

/** A PEP 503 page and a wheel, which needs no building. */
function fillIndex(folder: string): void {
  const wheel = 'tiny_thing-1.0-py3-none-any.whl';
  const source = mkdtempSync(join(SCRATCH, 'pip-source-'));
  const meta = join(source, 'tiny_thing-1.0.dist-info');
  mkdirSync(meta);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(source, 'tiny_thing.py'), 'TINY = 1\n');
  writeFileSync(join(meta, 'METADATA'), 'Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n');
  writeFileSync(
    join(meta, 'WHEEL'),
    'Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  );
  writeFileSync(
    join(meta, 'RECORD'),
    [
      'tiny_thing.py',
      ...['METADATA', 'WHEEL', 'RECORD'].map((name) => `tiny_thing-1.0.dist-info/${name}`),
    ]
      .map((name) => `${name},,\n`)
      .join(''),
  );
  execFileSync(
    'python3',
    ['-m', 'zipfile', '-c', join(folder, wheel), 'tiny_thing.py', 'tiny_thing-1.0.dist-info'],
    { cwd: source },
  );
  writeFileSync(join(folder, 'index.html'), `<a href="${wheel}">${wheel}</a>`);
}

/** A bare repository as files, for the protocol that needs no program on the server. */
function fillRepository(folder: string): void {
  const source = mkdtempSync(join(SCRATCH, 'git-source-'));
  writeFileSync(join(source, 'small.txt'), TEXT);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      cwd: source,
      stdio: 'ignore',
    });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  git('clone', '-q', '--bare', source, folder);
  git('--git-dir', folder, 'update-server-info');
}
