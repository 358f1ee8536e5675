// The folder for somebody who can install nothing, as `npm run build:portable` makes it: by cmd.exe under Wine, with what Windows
// signs on with, and on Linux without any other Node; what lies planted where one happens to be is not loaded.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finalLegs, proxyLog } from './access-log.ts';
import { ensureLab, LAB } from './lab.ts';
import { stagedApp } from './staging.ts';
import type { CmdRun } from './windows.ts';
import { cmdOnWindows, endWindows, windowsPath } from './windows.ts';

const lab = await ensureLab();
const execute = promisify(execFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const BUILT = resolve('build/portable');
const HELLO = 'hello from origin\n';
const NODE_20 = windowsPath(join(LAB.directory, 'wine/node20/bin/node.exe'));
const NO_TICKET = { KRB5CCNAME: 'FILE:/nonexistent' };
const SMALL = `${LAB.origins.http}/small.txt`;
/** A folder as people name it. No %: Wine, unlike Windows, looks for variables in what `%~dp0` has just become. */
const ODD_NAME = 'Für Älice & Bob (neu)!';
const BUILD_TIMEOUT_MS = 600_000;

/** Packages the program has or asks for, on the wrong side of it. */
const PACKAGES = ['commander', 'asn1js', 'tldts', 'pino', 'koffi', '@napi-rs/keyring'];
const SIDE_EFFECT = `require('node:fs').writeFileSync('loaded', __filename); throw new Error('planted');`;
const PLANTED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...PACKAGES,
      ...['linux-x64', 'win32-x64'].map((platform) => `@koromix/koffi-${platform}`),
      ...['linux-x64-gnu', 'linux-x64-musl', 'win32-x64-msvc'].map(
        (platform) => `@napi-rs/keyring-${platform}`,
      ),
    ].map((name) => [`node_modules/${name}/index.js`, SIDE_EFFECT]),
  ),
  'package.json': '{"type":"module","main":"x.js"}',
  'x.js': SIDE_EFFECT,
  'node.exe': 'no program',
  'node.cmd': '@exit /b 99',
};

let made = '';

beforeAll(async () => {
  if (lab.available) {
    await execute('npx', ['tsc', '-p', 'tsconfig.scripts.json']);
    made = (await execute('node', ['build/scripts/portable/main.js'])).stdout;
  }
}, BUILD_TIMEOUT_MS);

describe.skipIf(!lab.available)('npm run build:portable', () => {
  it.each([
    ['windows-x64.zip', 36],
    ['linux-x64.tar.xz', 30],
  ])('makes %s of at most %d MB, and says its size and SHA-256', (name, limit) => {
    const file = `sallyport-${version}-${name}`;
    const { size } = statSync(join(BUILT, file));
    expect(size).toBeLessThanOrEqual(limit * 1e6);
    expect(made).toContain(`${file}: ${(size / 1e6).toFixed(1)} MB, SHA-256 `);
    const hash = createHash('sha256')
      .update(readFileSync(join(BUILT, file)))
      .digest('hex');
    expect(made).toContain(`SHA-256 ${hash}`);
    expect(readFileSync(join(BUILT, 'SHA256SUMS'), 'utf8')).toContain(`${hash}  ${file}\n`);
  });

  it('passes on the Node of its makers, byte for byte, with its signature', () => {
    const node = readFileSync(folderOf('windows-x64', 'runtime/node.exe'));
    const ofLab = readFileSync(join(LAB.directory, 'wine/node22/bin/node.exe'));
    expect(node.equals(ofLab)).toBe(true);
    // The certificate table of the optional header of a PE32+ file.
    const optionalHeader = node.readUInt32LE(0x3c) + 24;
    expect(node.readUInt32LE(optionalHeader + 112 + 4 * 8 + 4)).toBeGreaterThan(5_000);
  });

  it.each(['windows-x64', 'linux-x64'])('gives %s a licence of each package', (platform) => {
    const licences = readdirSync(folderOf(platform, 'licenses'));
    const packages = readdirSync(folderOf(platform, 'app/node_modules'));
    const plain = packages.filter((name) => !name.startsWith('@'));
    expect(plain.length).toBeGreaterThan(5);
    expect(plain.filter((name) => !licences.includes(`${name}.txt`))).toEqual([]);
    expect(licences).toEqual(
      expect.arrayContaining(['node.txt', 'sallyport.txt', 'koffi.txt', 'napi-rs-keyring.txt']),
    );
  });
});

describe.skipIf(!lab.available)('sallyport.cmd under Wine', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(stagedApp(), 'portable-'));
    execFileSync('unzip', [
      '-q',
      join(BUILT, `sallyport-${version}-windows-x64.zip`),
      '-d',
      folder,
    ]);
    const odd = join(folder, ODD_NAME);
    execFileSync('mv', [join(folder, `sallyport-${version}-windows-x64`), odd]);
    allowWine(join(odd, 'app/dist/cli/main.js'));
    execFileSync('chmod', ['-R', 'a+rX', folder]);
    folder = odd;
  });
  afterAll(async () => {
    rmSync(join(folder, '..'), { recursive: true, force: true });
    await endWindows();
  });

  it('gets through NTLM as whoever is signed in, with nothing typed', async () => {
    const mark = await proxyLog('ntlm').mark();
    const args = ['get', '-v', '--proxy', LAB.proxies.ntlm.url, SMALL];
    const run = await start(args, { as: 'alice', env: NO_TICKET, planted: PLANTED });
    expect(run).toMatchObject({ code: 0, stdout: HELLO });
    expect(run.stderr).toContain('NTLM by SSPI (secur32.dll)');
    expect(finalLegs(await mark.entries(3))).toMatchObject([{ user: 'CORP\\alice', status: 200 }]);
  });

  it('runs a program through NTLM, and ends with its code', async () => {
    const script = `const { HTTP_PROXY } = process.env;
      const { hostname, port, username, password } = new URL(HTTP_PROXY);
      const headers = { 'proxy-authorization': 'Basic ' + btoa(username + ':' + password) };
      require('http').get({ host: hostname, port, path: '${SMALL}', headers }, (answer) => {
        answer.pipe(process.stdout);
        answer.on('end', () => { process.exitCode = 9; });
      });`.replaceAll(/\s+/g, ' ');
    const args = ['run', '--proxy', LAB.proxies.ntlm.url, '--', NODE_20, '-e', script];
    const run = await start(args, { as: 'alice', env: NO_TICKET });
    expect(run).toEqual({ code: 9, stdout: HELLO, stderr: '' });
  });

  it('takes NODE_OPTIONS for the programs it runs, not for itself', async () => {
    const print = 'console.log(JSON.stringify([process.env.NODE_OPTIONS, process.title]))';
    const options = '--title="a & b" --trace-sigint';
    const args = ['run', '--proxy', 'http://127.0.0.1:9', '--', NODE_20, '-e', print];
    const run = await start(args, { env: { NODE_OPTIONS: options } });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(run.stdout)[0]).toBe(options);
    const refused = await start(['--version'], { env: { NODE_OPTIONS: '--require ./x.js' } });
    expect(refused).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('keeps arguments and exit codes', async () => {
    const words = ['http://h/a?b=c&d=e', 'two words', 'a^b!c', '(x)|<y>', '', "'"];
    const script = 'console.log(JSON.stringify(process.argv.slice(1))); process.exitCode = 7';
    const args = ['run', '--proxy', 'http://127.0.0.1:9', '--', NODE_20, '-e', script, ...words];
    const run = await start(args);
    expect(run).toMatchObject({ code: 7, stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual(words);
  });

  /** A batch file is read in a code page, a variable is not. */
  async function start(args: readonly string[], run: Omit<CmdRun, 'line'> = {}) {
    return await cmdOnWindows({
      ...run,
      line: `"%FOLDER%\\sallyport.cmd" ${args.map((word) => `"${word}"`).join(' ')}`,
      env: { ...run.env, FOLDER: windowsPath(folder) },
    });
  }
});

describe.skipIf(!lab.available)('sallyport of the folder on Linux', () => {
  const place = mkdtempSync(join(tmpdir(), 'sallyport-portable-'));
  const unpacked = join(place, ODD_NAME);
  const elsewhere = join(unpacked, 'work');

  beforeAll(() => {
    mkdirSync(unpacked);
    execFileSync('tar', [
      '-xf',
      join(BUILT, `sallyport-${version}-linux-x64.tar.xz`),
      '-C',
      unpacked,
    ]);
    // Above the program, too: there Node looks for what it does not find beside it.
    for (const folder of [elsewhere, unpacked]) {
      for (const [name, content] of Object.entries(PLANTED)) {
        mkdirSync(join(folder, name, '..'), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
    }
    symlinkSync(
      join('..', `sallyport-${version}-linux-x64`, 'sallyport'),
      join(elsewhere, 'first'),
    );
    symlinkSync('first', join(elsewhere, 'second'));
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it('gets through NTLM with a name and a password, without a Node on PATH, among planted packages', async () => {
    const { alice } = LAB.users;
    const env = { SALLYPORT_USER: alice.typed, SALLYPORT_PASSWORD: alice.password };
    const { stdout } = await start(
      './second',
      ['get', '--proxy', LAB.proxies.ntlm.url, SMALL],
      env,
    );
    expect(stdout).toBe(HELLO);
    expect(readdirSync(elsewhere)).not.toContain('loaded');
  });

  it('signs on by Kerberos with its own FFI library', async () => {
    const args = ['get', '-v', '--proxy', LAB.proxies.kerberos.url, SMALL];
    const { stdout, stderr } = await start('./second', args, LAB.environment);
    expect(stdout).toBe(HELLO);
    expect(stderr).toMatch(/Kerberos by GSSAPI/);
  });

  it('asks the keyring it brought along, not one of the folders above', async () => {
    const args = ['login', '--user', LAB.users.alice.typed, '--proxy', LAB.proxies.ntlm.url];
    const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
    const login = start('./second', [...args, '--password-stdin'], env);
    // Says the library that was loaded.
    await expect(login).rejects.toMatchObject({
      code: 4,
      stderr: expect.stringContaining('no Secret Service'),
    });
    expect(readdirSync(elsewhere)).not.toContain('loaded');
  });

  it('has all that serve loads, its log and its metrics', async () => {
    const args = ['serve', '--proxy', 'direct', '--listen', '0', '--same-user', '--log-format'];
    const serve = spawn(join(elsewhere, 'second'), [...args, 'json'], {
      cwd: elsewhere,
      env: { PATH: join(place, 'bin'), HOME: place },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      const said = await firstLine(serve.stderr);
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? said;
      const page = await fetch(`${url}/metrics`);
      expect(await page.text()).toContain('sallyport_requests_total');
    } finally {
      const end = once(serve, 'close');
      serve.kill();
      await end;
    }
  });

  it('takes NODE_OPTIONS and NODE_PATH for the programs it runs, not for itself', async () => {
    const env = { NODE_OPTIONS: '--require ./x.js', NODE_PATH: join(elsewhere, 'node_modules') };
    const show = 'echo "$NODE_OPTIONS $NODE_PATH $SALLYPORT_CALLER_NODE_OPTIONS"';
    const args = ['run', '--proxy', 'http://127.0.0.1:9', '--', '/bin/sh', '-c', show];
    const { stdout } = await start('./first', args, env);
    expect(stdout).toBe(`${env.NODE_OPTIONS} ${env.NODE_PATH} \n`);
    expect(readdirSync(elsewhere)).not.toContain('loaded');
  });

  it('keeps arguments and the exit code', async () => {
    const words = ['a b', '', '*', '$HOME', '"', "'"];
    const args = [
      'run',
      '--proxy',
      'http://127.0.0.1:9',
      '--',
      '/usr/bin/printf',
      '[%s]',
      ...words,
    ];
    expect((await start('./second', args)).stdout).toBe(words.map((word) => `[${word}]`).join(''));
    const exit = ['run', '--proxy', 'http://127.0.0.1:9', '--', '/bin/sh', '-c', 'exit 7'];
    await expect(start('./second', exit)).rejects.toMatchObject({ code: 7 });
  });

  /** `readlink`, of all programs. */
  async function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const bin = join(place, 'bin');
    mkdirSync(bin, { recursive: true });
    execFileSync('ln', ['-sf', '/usr/bin/readlink', bin]);
    return await execute(command, args, {
      cwd: elsewhere,
      env: { PATH: bin, HOME: place, SALLYPORT_STATE_DIR: join(place, 'state'), ...env },
      timeout: 60_000,
    });
  }
});

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += piece;
    if (text.includes('\n')) {
      break;
    }
  }
  stream.resume();
  return text;
}

function folderOf(platform: string, path: string): string {
  return join(BUILT, `sallyport-${version}-${platform}`, path);
}

/** Wine 8 wants its shim, which this launcher lets nobody load from outside: it goes into this copy. */
function allowWine(main: string): void {
  const [first = '', ...rest] = readFileSync(main, 'utf8').split('\n');
  const shim = JSON.stringify(windowsPath(join(stagedApp(), 'keep-alive.cjs')));
  writeFileSync(main, [first, `require(${shim});`, ...rest].join('\n'));
}
