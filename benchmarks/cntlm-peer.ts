// cntlm as a peer: a local proxy that signs on, in a process of this run, with the relay between it and the proxy.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface CntlmOptions {
  /** Holds its configuration, which has the password in it. */
  readonly folder: string;
  /** `host:port` */
  readonly proxy: string;
  readonly user: { readonly name: string; readonly domain: string; readonly password: string };
}

export interface Cntlm extends AsyncDisposable {
  readonly url: string;
}

const START_LIMIT_MS = 3_000;

/** @throws Error when cntlm is not installed or does not listen within 3 s */
export async function startCntlm({ folder, proxy, user }: CntlmOptions): Promise<Cntlm> {
  const port = await freePort();
  const file = join(folder, `cntlm-${port}.conf`);
  const lines = [
    `Username ${user.name}`,
    `Domain ${user.domain}`,
    `Password ${user.password}`,
    'Auth NTLMv2',
    'Workstation BENCH',
    `Proxy ${proxy}`,
    `Listen 127.0.0.1:${port}`,
    'NoProxy none.invalid',
  ];
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const child = spawn('cntlm', ['-f', '-c', file], { stdio: 'ignore' });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  try {
    await listening(port, child);
  } catch (error) {
    await end(child);
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => end(child) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (child.exitCode === null && performance.now() < deadline) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (isOpen) {
      return;
    }
    await wait(20);
  }
  throw new Error('cntlm does not listen');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    // It answers SIGTERM only once its connections are closed.
    child.kill('SIGKILL');
    await ended;
  }
}
