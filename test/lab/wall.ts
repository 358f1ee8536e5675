// The wall: a network namespace without a route, a name service or a neighbour other than squid. A relay on the near end of the
// link passes the bytes of the lab's proxy ports on, untouched; inside, only proxy.corp.example has an address.
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

const NEAR = '10.213.78.1';
const FAR = '10.213.78.2';

export interface Outcome {
  /** -1 when it was killed at its deadline. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Behind {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Wall extends AsyncDisposable {
  /** Runs a program behind the wall, with this environment and nothing else but PATH. */
  readonly run: (words: readonly string[], behind: Behind) => Promise<Outcome>;
}

/** Wants root and `ip netns`. */
export async function buildWall(proxies: readonly { host: string; port: number }[]): Promise<Wall> {
  const name = `sallyport-wall-${process.pid}`;
  const [near, far] = [`sw${process.pid}a`, `sw${process.pid}b`];
  // `ip netns exec` lays what is in this folder over /etc.
  const etc = `/etc/netns/${name}`;
  mkdirSync(etc, { recursive: true });
  const hosts = proxies.map(({ host }) => `${NEAR} ${host}\n`);
  writeFileSync(`${etc}/hosts`, `127.0.0.1 localhost\n${[...new Set(hosts)].join('')}`);
  writeFileSync(`${etc}/resolv.conf`, '');
  ip('netns', 'add', name);
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
  ip('addr', 'add', `${NEAR}/30`, 'dev', near);
  ip('link', 'set', near, 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
  ip('-n', name, 'addr', 'add', `${FAR}/30`, 'dev', far);
  ip('-n', name, 'link', 'set', far, 'up');
  const gates = await Promise.all(proxies.map(openGate));
  return {
    run: (words, behind) => runIn(name, words, behind),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(gates.map((close) => close()));
      ip('netns', 'del', name);
      rmSync(etc, { recursive: true });
    },
  };
}

async function openGate({
  host,
  port,
}: {
  host: string;
  port: number;
}): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (inner) => {
    const outer = connect({ host, port, allowHalfOpen: true });
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).once('close', () => sockets.delete(socket));
    }
    inner.pipe(outer);
    outer.pipe(inner);
  });
  server.listen(port, NEAR);
  await once(server, 'listening');
  return async () => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
    await once(server, 'close');
  };
}

function runIn(name: string, words: readonly string[], behind: Behind): Promise<Outcome> {
  const { cwd, env, timeoutMs } = behind;
  return new Promise((resolve) => {
    execFile(
      'ip',
      ['netns', 'exec', name, ...words],
      { cwd, env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: timeoutMs },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? -1);
        resolve({ code, stdout, stderr });
      },
    );
  });
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
