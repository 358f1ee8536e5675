// What a person at a terminal sees: the prompt that shows nothing, the progress line. `script` (util-linux) plays the
// terminal; where it is missing these tests are skipped.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE, CA_FILE, SCRATCH } from './network.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasTerminal = existsSync('/usr/bin/script');

/** Types the answer once the question stands there. */
function atTerminal(args: readonly string[], question: string, answer: string) {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  // Without the shell in between, which would take Ctrl-C for itself, too.
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `exec ${words}`, '/dev/null'],
    {
      env: { PATH: process.env['PATH'] ?? '', HOME: SCRATCH, SALLYPORT_CA: CA_FILE, TERM: 'xterm' },
      timeout: 20_000,
    },
  );
  let screen = '';
  let asked = false;
  child.stdout.on('data', (piece) => {
    screen += String(piece);
    if (!asked && screen.includes(question)) {
      asked = true;
      child.stdin.write(answer);
    }
  });
  return new Promise<{ code: number | null; screen: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, screen }));
  });
}

describe.skipIf(!hasTerminal)('at a terminal', () => {
  it('the password is asked for and never shown; the download shows its progress', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    const file = join(SCRATCH, 'terminal.bin');
    const { code, screen } = await atTerminal(
      [
        'get',
        '--proxy',
        proxy.url,
        '--user',
        'CORP\\alice',
        '-o',
        file,
        `${origin.url}/bytes/300000`,
      ],
      'Password of CORP\\alice',
      // A slip of the finger and its correction.
      `${ALICE.password}x\u007f\r`,
    );
    expect(screen).toContain(`Password of CORP\\alice for ${proxy.url}: `);
    expect(screen).not.toContain('Secret');
    expect(screen).toMatch(/100% {2}293\.0 KiB of 293\.0 KiB/);
    expect(code).toBe(0);
    expect(readFileSync(file)).toHaveLength(300_000);
  });

  it('Ctrl-C reaches the program of run once, and run ends with it', async () => {
    const file = join(SCRATCH, 'terminal-signal');
    const program = `
      const { appendFileSync } = require("node:fs");
      process.on("SIGINT", () => {
        appendFileSync("${file}", "x");
        setTimeout(() => process.exit(5), 300);
      });
      setInterval(() => undefined, 1000);
      console.log("ready");`;
    const { code } = await atTerminal(
      ['run', '--proxy', 'http://127.0.0.1:9', '--', process.execPath, '-e', program],
      'ready',
      '\u0003',
    );
    expect([code, readFileSync(file, 'utf8')]).toEqual([5, 'x']);
  });

  it('run shows how to leave its shell, and a program a terminal', async () => {
    const args = ['run', '--proxy', 'http://127.0.0.1:9'];
    const shell = await atTerminal(args, 'exit leaves it', 'exit 4\r');
    expect(shell.code).toBe(4);
    const look = 'test -t 0 && test -t 1 && test -t 2 && echo at a terminal';
    const seen = await atTerminal([...args, '--', 'sh', '-c', look], '', '');
    expect(seen.screen).toBe('at a terminal\r\n');
  });

  it('run warns of another proxy in the file of the tool, once, and shows no more of it', async () => {
    writeFileSync(join(SCRATCH, '.gitconfig'), '[http]\n\tproxy = http://u:Secret@other:1\n');
    const args = ['run', '--proxy', 'http://127.0.0.1:9', '--', 'git', '--version'];
    const { screen } = await atTerminal(args, '', '');
    rmSync(join(SCRATCH, '.gitconfig'));
    expect(screen.split('\r\n')[0]).toBe(
      `* ${join(SCRATCH, '.gitconfig')}:2 names another proxy (http: proxy), which sallyport wins over for this run`,
    );
    expect(screen.split('\r\n').filter((line) => line.startsWith('*'))).toHaveLength(1);
  });

  it('several downloads show a line each, and an upload its own', async () => {
    await using origin = await createOrigin();
    const folder = `${join(SCRATCH, 'terminal-several')}/`;
    mkdirSync(folder);
    const urls = ['1000', '2000'].map((length) => `${origin.url}/bytes/${length}`);
    const both = await atTerminal(['get', '--proxy', 'direct', '-o', folder, ...urls], '', '');
    expect(both.screen).toMatch(/\r1000 {2}\[#{20}\] 100% {2}1000 B of 1000 B/);
    expect(both.screen).toMatch(/\r2000 {2}\[#{20}\] 100% {2}2\.0 KiB of 2\.0 KiB/);
    const args = ['get', '--proxy', 'direct', '-T', `${folder}2000`, '-o', `${folder}answer`];
    const sent = await atTerminal([...args, `${origin.url}/echo-sha256`], '', '');
    expect(sent.screen).toMatch(/100% {2}2\.0 KiB of 2\.0 KiB/);
    expect([both.code, sent.code]).toEqual([0, 0]);
  });

  it('nothing is asked for a proxy that gets no sign-on', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const { code, screen } = await atTerminal(
      [
        'get',
        '--no-auth',
        '127.0.0.1',
        '--proxy',
        proxy.url,
        '--user',
        'CORP\\alice',
        'http://127.0.0.1:9/',
      ],
      'Password of',
      '\u0004',
    );
    expect(screen).not.toContain('Password of');
    expect(code).not.toBe(0);
  });

  it('Ctrl-C and Ctrl-D at the prompt send nothing', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const args = ['get', '--proxy', proxy.url, '--user', 'CORP\\alice', 'http://127.0.0.1:9/'];
    const interrupted = await atTerminal(args, 'Password of', '\u0003');
    expect(interrupted.code).toBe(130);
    const ended = await atTerminal(args, 'Password of', '\u0004');
    expect(ended.code).toBe(4);
    expect(ended.screen).toContain('No password was given at the prompt');
    expect(proxy.counts().connections).toBe(0);
  });
});
