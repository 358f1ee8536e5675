// Processes of a section that answer orders or tell an address: started when they are first wanted, ended with the section.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder } from './load.ts';
import type { LoadReply } from './load-process.ts';
import type { TunnelEndAddress } from './tunnel-end-process.ts';

export class Children implements AsyncDisposable {
  readonly #started = new Map<
    string,
    Promise<{ readonly child: ChildProcess; readonly told: unknown }>
  >();

  /**
   * @returns the measured value
   * @throws Error when an answer is wrong, or the process ends
   */
  async load(order: LoadOrder): Promise<number> {
    const { child } = await this.#start('load-process.js', [], false);
    child.send(order);
    const reply = (await nextMessage(child)) as LoadReply;
    if ('failure' in reply) {
      throw new Error(reply.failure);
    }
    return reply.value;
  }

  /** `127.0.0.1:port` of the end of tunnels. */
  async tunnelEnd(): Promise<string> {
    const { told } = await this.#start('tunnel-end-process.js', [], true);
    return (told as TunnelEndAddress).target;
  }

  /** A forwarder that does nothing for a request, and its process. */
  async plainForwarder(
    kind: 'raw' | 'http',
    port: number,
  ): Promise<{ readonly url: string; readonly pid: number }> {
    const { child, told } = await this.#start(
      'plain-forwarder-process.js',
      [kind, `${port}`],
      true,
    );
    return { url: (told as { readonly url: string }).url, pid: child.pid ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const starting of this.#started.values()) {
      const { child } = await starting;
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      }
    }
  }

  #start(file: string, args: readonly string[], tells: boolean) {
    const key = [file, ...args].join(' ');
    const starting = this.#started.get(key) ?? startChild(file, args, tells);
    this.#started.set(key, starting);
    return starting;
  }
}

async function startChild(file: string, args: readonly string[], tells: boolean) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args);
  return { child, told: tells ? await nextMessage(child) : null };
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  const onExit = (): void => over.abort(new Error('A process of the bench has ended'));
  child.once('exit', onExit);
  try {
    const [message] = await once(child, 'message', { signal: over.signal });
    return message;
  } finally {
    child.off('exit', onExit);
  }
}
