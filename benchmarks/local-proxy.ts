// A peer that is itself a proxy on this machine, in a process of this run: started, waited for, asked for its CPU time, ended.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { cpuTimeOf } from './process-usage.ts';

export interface LocalProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** What it has used since its start, in milliseconds; `null` where the system does not tell. */
  cpuMs(): Promise<number | null>;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Python starts slowly where the machine is busy. */
const START_LIMIT_MS = 10_000;

/**
 * @param commandFor what listens on this port of 127.0.0.1
 * @throws Error when it cannot be started or does not listen in time
 */
export async function startLocalProxy(
  commandFor: (port: number) => Promise<Command>,
): Promise<LocalProxy> {
  const port = await freePort();
  const { program, args, env } = await commandFor(port);
  const child = spawn(program, args, { stdio: 'ignore', env });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  try {
    await listening(port, child);
  } catch (error) {
    await end(child);
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    cpuMs: () => cpuTimeOf(child.pid),
    [Symbol.asyncDispose]: () => end(child),
  };
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
  throw new Error(`${child.spawnfile} does not listen`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    // cntlm answers SIGTERM only once its connections are closed.
    child.kill('SIGKILL');
    await ended;
  }
}
