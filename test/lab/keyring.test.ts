// `sallyport login` with a real keyring, GNOME's, and real proxies: what is stored, who reads it back, where it is not.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finalLegs, proxyLog } from './access-log.ts';
import { sallyport } from './clients.ts';
import type { KeyringSession } from './keyring-session.ts';
import { startKeyringSession } from './keyring-session.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const { zoe } = LAB.users;
const NTLM = LAB.proxies.ntlm.url;
const AS_ZOE = ['--user', zoe.typed, '--proxy', NTLM];
const PAGE = `${LAB.origins.http}/small.txt`;

describe.skipIf(!lab.available)('the keyring', () => {
  let home: string;
  let session: KeyringSession;
  let state = 0;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'sallyport-keyring-'));
    session = await startKeyringSession(home, 'of-the-keyring');
  });

  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    rmSync(home, { recursive: true });
  });

  beforeEach(() => {
    state += 1;
  });

  afterEach(async () => {
    await run(['logout', '--all']);
  });

  /** In the session; what was refused in one test is not remembered in the next. */
  const run = (args: readonly string[], input = '', env = session.env) =>
    sallyport(args, { ...env, SALLYPORT_STATE_DIR: join(home, `state-${state}`) }, input);
  const login = (password: string = zoe.password, more: readonly string[] = []) =>
    run(['login', ...AS_ZOE, '--password-stdin', '--json', ...more], `${password}\n`);
  const logins = () => {
    const path = join(home, '.config/sallyport/stored-logins.json');
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
  };

  it('keeps a password that the proxy accepted; another process signs on with it until logout', async () => {
    const mark = await proxyLog('ntlm').mark();
    const stored = await login();
    expect(stored.code).toBe(0);
    expect(JSON.parse(Buffer.from(stored.stdout, 'latin1').toString())).toEqual({
      ok: true,
      proxy: NTLM,
      user: zoe.typed,
      scheme: 'NTLM',
      stored: true,
    });
    const entries = await mark.entries(3);
    expect(finalLegs(entries)).toHaveLength(1);
    expect(entries.every(({ url }) => url === 'sallyport.invalid:443')).toBe(true);

    const got = await run(['get', '--proxy', NTLM, PAGE]);
    expect(got).toMatchObject({ code: 0, stderr: '' });
    expect(got.stdout).toHaveLength(18);

    const removed = await run(['logout', '--proxy', NTLM]);
    expect(removed.stdout).toBe(`The password for ${NTLM} is removed.\n`);
    expect(logins()).toBeNull();
    expect((await run(['get', '--proxy', NTLM, PAGE])).code).toBe(4);
  });

  it('keeps nothing of a password that was refused, after one final leg', async () => {
    const mark = await proxyLog('ntlm').mark();
    const { code, stdout } = await login('Wrong-Secret9');
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'CREDENTIALS_REFUSED' } });
    expect(finalLegs(await mark.entries(3))).toHaveLength(1);
    expect(logins()).toBeNull();
  });

  it('leaves the password that was stored when a new one is refused', async () => {
    await login();
    expect((await login('Wrong-Secret9')).code).toBe(4);
    expect((await run(['get', '--proxy', NTLM, PAGE])).code).toBe(0);
  });

  it('keeps nothing for a proxy that asks for no sign-on', async () => {
    const args = ['login', '--user', zoe.typed, '--proxy', LAB.proxies.open.url, PAGE];
    const { code, stdout } = await run([...args, '--password-stdin'], zoe.password);
    expect(code).toBe(0);
    expect(stdout).toContain('asked for no sign-on (it answered 200), so nothing was stored.');
    expect(logins()).toBeNull();
  });

  it.each([`${LAB.origins.http}/blocked`, PAGE, `${LAB.origins.https}/small.txt`])(
    'judges the credentials by %s, not the page',
    async (page) => {
      const { code } = await login(zoe.password, [page]);
      expect(code).toBe(0);
      expect(logins()).toEqual([LAB.proxies.ntlm.url.replace('http://', '')]);
    },
  );

  it('belongs to the one it names, and to the one proxy', async () => {
    await login();
    const bob = await run(['get', '--proxy', NTLM, '--user', LAB.users.bob.typed, PAGE]);
    expect(bob.stderr).toContain(`there is no password for ${LAB.users.bob.typed}`);
    const other = LAB.proxies.ntlmBasic.url;
    expect((await run(['get', '--proxy', other, PAGE])).code).toBe(4);
    const named = await run(['get', '--proxy', NTLM, '--user', zoe.typed, PAGE]);
    expect(named.code).toBe(0);
  });

  it('leaves the password in no file, no argument and no output', async () => {
    const watch = watchProcesses(home, zoe.password);
    const outputs = [
      await login(zoe.password, ['-vv']),
      await run(['get', '-vv', '--proxy', NTLM, PAGE]),
    ];
    expect(outputs.map(({ code }) => code)).toEqual([0, 0]);
    expect(watch.stop()).toEqual({ found: [], sawKeyring: true });
    expect(filesWith(home, zoe.password)).toEqual([]);
    const said = Buffer.from(outputs.map(({ stdout }) => stdout).join(''), 'latin1').toString();
    expect(said + outputs.map(({ stderr }) => stderr).join('')).not.toContain(zoe.password);
  });

  it('asks for the password at a terminal, hidden', async () => {
    const args = ['login', '--user', LAB.users.alice.typed, '--proxy', NTLM];
    const { code, screen } = await atTerminal(args, `${LAB.users.alice.password}\r`, session.env);
    expect(screen).toContain(`Password of ${LAB.users.alice.typed} for ${NTLM}: `);
    expect(screen).toContain(`${NTLM} accepted ${LAB.users.alice.typed} by NTLM.`);
    expect(screen).not.toContain(LAB.users.alice.password);
    expect(code).toBe(0);
  });

  it('that is locked costs no command its course, and is told by login and logout', async () => {
    await login();
    await session[Symbol.asyncDispose]();
    try {
      await using locked = await startKeyringSession(home, null);
      const got = await run(['get', '--proxy', NTLM, PAGE], '', locked.env);
      expect(got.code).toBe(4);
      for (const command of [
        ['login', ...AS_ZOE, '--password-stdin'],
        ['logout', '--proxy', NTLM],
      ]) {
        const { code, stderr } = await run(command, `${zoe.password}\n`, locked.env);
        expect(code).toBe(4);
        expect(stderr).toMatch(/^sallyport: The keyring is locked, and nobody unlocked it\. /);
      }
      expect(logins()).toHaveLength(1);
    } finally {
      session = await startKeyringSession(home, 'of-the-keyring');
    }
    expect((await run(['get', '--proxy', NTLM, PAGE])).code).toBe(0);
  });
});

/** Files below a folder that hold the text, in UTF-8 or in UTF-16. */
function filesWith(folder: string, text: string): string[] {
  const forms = [Buffer.from(text), Buffer.from(text, 'utf16le')];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => forms.some((form) => readFileSync(path).includes(form)));
}

/** Looks at arguments and environment of all processes of a home, again and again. */
function watchProcesses(home: string, secret: string) {
  const found = new Set<string>();
  let sawKeyring = false;
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const environment = readProcess(pid, 'environ');
      const command = readProcess(pid, 'cmdline');
      const isOurs = environment.includes(`HOME=${home}\0`);
      sawKeyring ||= isOurs && command.includes('keyring-process.js');
      if (isOurs && `${command}${environment}`.includes(secret)) {
        found.add(command);
      }
    }
  }, 10);
  return {
    stop: () => {
      clearInterval(timer);
      return { found: [...found], sawKeyring };
    },
  };
}

function readProcess(pid: string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Types the answer once something is asked. */
function atTerminal(args: readonly string[], answer: string, env: KeyringSession['env']) {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', words, '/dev/null'], {
    env: { ...env, SALLYPORT_STATE_DIR: join(env['HOME'] ?? '', 'state-terminal') },
  });
  let screen = '';
  let answered = false;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    screen += piece;
    if (!answered && screen.includes('Password of')) {
      answered = true;
      child.stdin.write(answer);
    }
  });
  return new Promise<{ code: number | null; screen: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, screen }));
  });
}
