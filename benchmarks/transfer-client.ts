// The parent's end of `transfer-process.ts`: one process for each row, started when it is first measured.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TransferAnswer, TransferOrder, TransferReport } from './transfer-process.ts';

export class TransferClients implements AsyncDisposable {
  readonly #children = new Map<string, ChildProcess>();

  /**
   * @param row names the process
   * @throws Error when the transfer fails, or its process ends
   */
  async transfer(row: string, order: TransferOrder): Promise<TransferReport> {
    const child = this.#children.get(row) ?? this.#start(row);
    const ended = new AbortController();
    const onExit = (): void => ended.abort(new Error('The process of the transfers has ended'));
    child.once('exit', onExit);
    child.send(order);
    try {
      const [answer] = (await once(child, 'message', { signal: ended.signal })) as [TransferAnswer];
      if ('failure' in answer) {
        throw new Error(answer.failure);
      }
      return answer;
    } finally {
      child.off('exit', onExit);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.values()) {
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      }
    }
  }

  #start(row: string): ChildProcess {
    const child = fork(fileURLToPath(new URL('./transfer-process.js', import.meta.url)));
    this.#children.set(row, child);
    return child;
  }
}
