// The words between the soak of the local proxy and its processes. Owns their forms, and asking one of them.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Reading } from '../gauges.ts';

/** Which local proxy: the one upstream is left alone, or it is killed over and over. */
export const WAYS = ['calm', 'killed'] as const;
export type Way = (typeof WAYS)[number];

/** To `server-process.ts`. */
export type ServerOrder =
  | { readonly do: 'open'; readonly proxies: Readonly<Record<Way, string>>; readonly token: string }
  | { readonly do: 'measure' }
  | { readonly do: 'close' };
export interface ServerState extends Reading {
  readonly ports: Readonly<Record<Way, number>>;
  readonly resources: string;
  /** Before a proxy was opened. */
  readonly atStart: { readonly descriptors: number | null; readonly resources: string };
}

/** To `origin-process.ts`. */
export type OriginOrder = { readonly do: 'open' } | { readonly do: 'count' };
export interface OriginState {
  readonly page: number;
  readonly echo: number;
  /** Requests that must not come twice, and did. */
  readonly doubled: readonly string[];
}

/** To `proxy-process.ts`: 0 for any port. */
export interface ProxyOrder {
  readonly port: number;
}

/** A process of this folder that answers orders one by one. */
export class Process<Order extends object, Answer> {
  readonly child: ChildProcess;

  /** @param args for node itself */
  constructor(file: string, args: readonly string[] = [], argv: readonly string[] = []) {
    const path = fileURLToPath(new URL(`./${file}`, import.meta.url));
    this.child = fork(path, argv, { execArgv: [...args] });
  }

  /** @throws Error when the process ends before it answers */
  ask(order: Order): Promise<Answer> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const ended = (): void =>
        reject(new Error(`a process ended before its answer to ${JSON.stringify(order)}`));
      child.once('exit', ended);
      child.once('message', (answer) => {
        child.off('exit', ended);
        resolve(answer as Answer);
      });
      child.send(order);
    });
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
  }
}
