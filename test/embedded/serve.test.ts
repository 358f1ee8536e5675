// `sallyport serve` and `env` as processes: who gets through, how it ends, what a shell is told.
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE, SCRATCH } from './network.ts';
import { RawClient } from './raw-client.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const isRoot = process.geteuid?.() === 0;
/** Root's programs are admitted by name only. */
const FOR_US = isRoot ? ['--same-user'] : [];
const LONG_MS = 20_000;

class Serve implements AsyncDisposable {
  readonly state = mkdtempSync(join(SCRATCH, 'serve-'));
  readonly env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;

  constructor() {
    this.env = {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      SALLYPORT_STATE_DIR: this.state,
      SALLYPORT_PASSWORD: ALICE.password,
    };
  }

  get child(): ChildProcess {
    if (this.#child === null) {
      throw new Error('not started');
    }
    return this.#child;
  }

  /** @returns the port */
  async start(proxy: string, ...more: readonly string[]): Promise<number> {
    const args = ['serve', '--json', '--listen', '0', '--proxy', proxy, '--user', 'CORP\\alice'];
    this.#child = spawn(process.execPath, [MAIN, ...args, ...more], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(this.child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    return Number(new URL((JSON.parse(String(line)) as { url: string }).url).port);
  }

  async command(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(process.execPath, [MAIN, ...args], { env: this.env })).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
  }
}

const stage = async () => ({
  proxy: await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] }),
  origin: await createOrigin(),
});

describe('sallyport serve', { timeout: LONG_MS }, () => {
  it('signs on for programs of this user, and is found by env', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(proxy.url, ...FOR_US);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    expect(String((await client.ask('GET', `${origin.url}/bytes/5`)).head.status)).toBe('200');

    const lines = (await serve.command('env', '--shell', 'sh')).split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(
        new RegExp(`^export https_proxy='http://x:[\\w-]+@127.0.0.1:${port}'$`),
      ),
    );
    expect(lines.join('\n')).not.toContain(ALICE.password);
    expect(statSync(join(serve.state, 'serve.json')).mode & 0o077).toBe(0);
    await Promise.all([proxy.close(), origin.close()]);
  });

  it.skipIf(!isRoot)('as root wants the token, until it is told otherwise', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(proxy.url);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    const { head, body } = await client.ask('GET', `${origin.url}/bytes/5`);
    expect(head.status).toBe(407);
    expect(body.toString()).toContain('Start Sallyport with --same-user to admit it.');
    expect(proxy.counts().connections).toBe(0);
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('wants the token where it was told to', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(proxy.url, '--token');
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    expect((await client.ask('GET', `${origin.url}/bytes/5`)).head.status).toBe(407);

    const [, token] = /x:([\w-]+)@/.exec(await serve.command('env')) ?? [];
    const credentials = Buffer.from(`x:${token}`).toString('base64');
    const answer = await client.ask('GET', `${origin.url}/bytes/5`, [
      `Proxy-Authorization: Basic ${credentials}`,
    ]);
    expect(answer.head.status).toBe(200);
    expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 1 });
    await Promise.all([proxy.close(), origin.close()]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('lets what is under way end at %s', async (signal) => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(proxy.url, ...FOR_US);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('CONNECT', `127.0.0.1:${origin.port}`);
    serve.child.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await client.ask('GET', '/bytes/5')).body).toHaveLength(5);
    expect(serve.child.exitCode).toBeNull();
    client.socket.end();
    const [code] = (await once(serve.child, 'exit')) as [number];

    expect(code).toBe(0);
    expect(readFileSync(join(serve.state, 'serve.json'), 'utf8')).toBe('{}');
    await Promise.all([proxy.close(), origin.close()]);
  });

  it('is cut by a second signal', async () => {
    const { proxy, origin } = await stage();
    await using serve = new Serve();
    const port = await serve.start(proxy.url, ...FOR_US);
    await using client = await RawClient.to({ host: '127.0.0.1', port });
    await client.ask('CONNECT', `127.0.0.1:${origin.port}`);
    serve.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    serve.child.kill('SIGTERM');
    const [code] = (await once(serve.child, 'exit')) as [number];

    expect(code).toBe(0);
    await Promise.all([proxy.close(), origin.close()]);
  });
});

describe('sallyport env', () => {
  it('says that no serve is running', async () => {
    const serve = new Serve();
    await expect(serve.command('env')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No sallyport serve of yours is running'),
    });
  });
});
