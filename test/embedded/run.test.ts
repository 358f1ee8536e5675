// `sallyport run`: the program's streams, end, signals and environment; a run inside a run; what is left running. Programs are
// small scripts of sh and node.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { sallyport } from './command.ts';
import { ALICE, SCRATCH } from './network.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const OFFLINE = ['run', '--proxy', 'http://127.0.0.1:9'];
const isLinux = process.platform === 'linux';

describe('sallyport run', () => {
  it.each([0, 1, 7, 42, 255])('ends with the code of the program: %d', async (code) => {
    expect((await sallyport([...OFFLINE, '--', 'sh', '-c', `exit ${code}`])).code).toBe(code);
  });

  it.each(['TERM', 'KILL', 'INT'])(
    'ends by the signal that ended the program: SIG%s',
    async (name) => {
      const words = [process.execPath, MAIN, ...OFFLINE, '--', 'sh', '-c', `kill -${name} $$`];
      const [command = '', ...args] = words;
      const child = spawn(command, args, { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
      expect(await once(child, 'exit')).toEqual([null, `SIG${name}`]);
    },
  );

  it('ends with 127 when there is no such program', async () => {
    const { code, stderr } = await sallyport([...OFFLINE, '--', '/nowhere/program', '--help']);
    expect(code).toBe(127);
    expect(stderr).toMatch(/^sallyport: \/nowhere\/program cannot be started \(ENOENT\)\. /);
  });

  it.runIf(existsSync('/usr/bin/prlimit'))(
    'gives the program the soft limit of open files that its caller has',
    async () => {
      const limited = (...words: string[]): string =>
        `ulimit -Sn 300; ${[process.execPath, MAIN, ...OFFLINE, '--', ...words].map((word) => `'${word}'`).join(' ')}; exit $?`;
      const started = (script: string) =>
        new Promise<[number | null, string]>((resolve) => {
          const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
          let said = '';
          child.stdout.on('data', (piece: Buffer) => {
            said += piece.toString();
          });
          child.once('close', (code) => resolve([code, said]));
        });
      expect(await started(limited('sh', '-c', 'ulimit -Sn; exit 7'))).toEqual([7, '300\n']);
      expect(await started(limited('no-such-program'))).toEqual([127, '']);
    },
  );

  it('tells behind a program that failed what the proxy could not do, once', async () => {
    const ask = [
      "const { request } = require('node:http');",
      'const { hostname, port, username, password } = new URL(process.env.HTTPS_PROXY);',
      "const token = Buffer.from(username + ':' + password).toString('base64');",
      "const headers = { 'Proxy-Authorization': 'Basic ' + token };",
      "const options = { hostname, port, headers, agent: false, method: 'CONNECT', path: 'a.example:443' };",
      'const once = () => new Promise((done) => request(options)',
      "  .on('connect', (answer, socket) => { socket.destroy(); done(answer.statusCode); }).end());",
      'once().then(once).then((status) => process.exit(status === 502 ? Number(process.argv[1]) : 99));',
    ].join('\n');
    const run = (code: number) =>
      sallyport([...OFFLINE, '--', process.execPath, '-e', ask, String(code)]);
    const failed = await run(3);
    expect(failed.code).toBe(3);
    expect(failed.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^sallyport: Cannot connect to 127\.0\.0\.1:9 \(ECONNREFUSED\)\. Check /,
      ),
    ]);
    expect(await run(0)).toMatchObject({ code: 0, stderr: '' });
  });

  it('tells nothing a program put into an address that is none', async () => {
    const ask = [
      "const { connect } = require('node:net');",
      'const { hostname, port, username, password } = new URL(process.env.HTTPS_PROXY);',
      "const token = Buffer.from(username + ':' + password).toString('base64');",
      "const head = ['GET no-address:kq7-Geheim@ HTTP/1.1', 'Host: a.example', 'Proxy-Authorization: Basic ' + token];",
      'const socket = connect(port, hostname, () => socket.write(head.concat("", "").join("\\r\\n")));',
      "socket.once('data', (piece) => process.exit(String(piece).startsWith('HTTP/1.1 400 ') ? 3 : 99));",
    ].join('\n');
    const { code, stderr } = await sallyport([...OFFLINE, '--', process.execPath, '-e', ask]);
    expect([code, stderr]).toEqual([3, '']);
  });

  it('does not start a program for a proxy address that is none', async () => {
    const args = ['run', '--proxy', 'htp://proxy.example:1', '--', 'echo', 'started'];
    const { code, stdout, stderr } = await sallyport(args);
    expect([code, stdout.toString()]).toEqual([2, '']);
    expect(stderr).toMatch(/^sallyport: The proxy URL of --proxy has a scheme other than /);
  });

  it('says nothing itself, and takes nothing from the streams', async () => {
    const input = `${'line\n'.repeat(20_000)}`;
    const result = await sallyport([...OFFLINE, '--', 'sh', '-c', 'cat; echo oops >&2'], { input });
    expect(result.stdout.toString()).toBe(input);
    expect([result.code, result.stderr]).toEqual([0, 'oops\n']);
  });

  it.skipIf(!isLinux)('leaves pipes blocking, as programs expect them', async () => {
    const look = 'sleep 0.5; for n in 0 1 2; do grep flags /proc/self/fdinfo/$n; done';
    const { stdout } = await sallyport([...OFFLINE, '--', 'sh', '-c', look], { input: 'x' });
    const flags = [...stdout.toString().matchAll(/flags:\s*(\d+)/g)].map(([, octal = '']) =>
      Number.parseInt(octal, 8),
    );
    expect(flags).toHaveLength(3);
    expect(flags.filter((flag) => (flag & 0o4000) !== 0)).toEqual([]);
  });

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGHUP', 'SIGINT'])('passes %s on, once', async (signal) => {
    const file = join(mkdtempSync(join(SCRATCH, 'signal-')), 'seen');
    const program = `
      process.on('${signal}', () => {
        require('node:fs').appendFileSync('${file}', 'x');
        setTimeout(() => process.exit(9), 300);
      });
      setInterval(() => undefined, 1000);
      require('node:fs').writeFileSync('${file}', '');`;
    const args = [MAIN, ...OFFLINE, '--', process.execPath, '-e', program];
    // A session of its own has no terminal, from which the signal would come to both.
    const child = spawn(process.execPath, args, {
      stdio: 'ignore',
      detached: true,
      env: { PATH: process.env['PATH'], HOME: SCRATCH },
    });
    await until(() => existsSync(file));
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([9, null]);
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  it('hides the password, and a second run uses the first', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    const inner = `'${process.execPath}' '${MAIN}' run -- sh -c 'echo $SALLYPORT_RUN; env'`;
    const { code, stdout } = await sallyport(
      ['run', '--proxy', proxy.url, '--', 'sh', '-c', `echo $SALLYPORT_RUN; ${inner}`],
      { env: { SALLYPORT_PASSWORD: ALICE.password, SALLYPORT_USER: 'CORP\\alice' } },
    );
    const [outer, within, ...env] = stdout.toString().split('\n');
    expect(code).toBe(0);
    expect(outer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(within).toBe(outer);
    expect(env.join('\n')).not.toContain(ALICE.password);
    expect(env.filter((line) => /^HTTPS_PROXY=/.test(line))).toEqual([
      expect.stringContaining(`@${outer}`),
    ]);
  });

  it('hides a password that is set within a run, too', async () => {
    const inner = `SALLYPORT_PASSWORD=s3cret SALLYPORT_USER=alice '${process.execPath}' '${MAIN}' run -- env`;
    const { code, stdout } = await sallyport([...OFFLINE, '--', 'sh', '-c', inner]);
    expect([code, stdout.toString()]).toEqual([0, expect.stringContaining('SALLYPORT_RUN=')]);
    expect(stdout.toString()).not.toMatch(/s3cret|SALLYPORT_USER/);
  });

  it('says so when the run it is in has ended', async () => {
    const { code, stderr } = await sallyport(['run', '--', 'true'], {
      env: { SALLYPORT_RUN: '127.0.0.1:9' },
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain('The sallyport run at 127.0.0.1:9 has ended');
  });

  it('goes to this machine itself, whatever a tool brings to it', async () => {
    await using origin = await createOrigin();
    // The proxy could not be reached.
    const { stdout } = await sallyport([
      ...[...OFFLINE, '--', 'sh', '-c'],
      `curl -s --noproxy '' ${origin.url}/bytes/10 | wc -c`,
    ]);
    expect(stdout.toString().trim()).toBe('10');
  });

  it('with --password-stdin leaves to the program what stands behind the password', async () => {
    await using corporate = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    const asked = `curl -s --noproxy '' ${origin.url}/bytes/10; cat`;
    const { code, stdout } = await sallyport(
      [
        ...['run', '--proxy', corporate.url, '--user', 'CORP\\alice', '--password-stdin'],
        ...['--', 'sh', '-c', asked],
      ],
      { input: `${ALICE.password}\nfirst\nsecond` },
    );
    const bytes = originBytes(10).toString('latin1');
    expect([code, stdout.toString('latin1')]).toEqual([0, `${bytes}first\nsecond`]);
  });

  it('with --linger keeps the proxy for what was left running', async () => {
    await using origin = await createOrigin();
    const file = join(mkdtempSync(join(SCRATCH, 'linger-')), 'got');
    const later = `(sleep 1; curl -s --noproxy '' ${origin.url}/bytes/10 > ${file}.part; mv ${file}.part ${file}) > /dev/null 2>&1 &`;
    const started = performance.now();
    const { code } = await sallyport([
      ...OFFLINE,
      ...['--linger', '--', 'sh', '-c', `${later} exit 3`],
    ]);
    expect(code).toBe(3);
    expect(readFileSync(file)).toHaveLength(10);
    expect(performance.now() - started).toBeGreaterThan(5000);
  });

  it('without it ends with the program', async () => {
    const { code } = await sallyport(
      [...OFFLINE, '--', 'sh', '-c', 'sleep 60 > /dev/null 2>&1 & echo $!; exit 3'],
      {
        timeoutMs: 12_000,
      },
    ).then((result) => {
      process.kill(Number(result.stdout.toString()), 'SIGTERM');
      return result;
    });
    expect(code).toBe(3);
  });

  it('starts the shell when no program is named', async () => {
    const script = join(SCRATCH, 'my-shell');
    writeFileSync(script, '#!/bin/sh\necho in $0\n', { mode: 0o755 });
    const { stdout, stderr } = await sallyport(OFFLINE, { env: { SHELL: script } });
    expect([stdout.toString(), stderr]).toEqual([`in ${script}\n`, '']);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 200) {
      throw new Error('it did not come to pass within 10 s');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
