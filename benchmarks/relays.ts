// The parent's end of `relay-process.ts`: opens relays and asks what passed through them.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Passage } from './passage.ts';
import type { RelayAnswer, RelayOrder } from './relay-process.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Relay {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** The connections since it was last asked, oldest first. */
  passages(): Promise<readonly Passage[]>;
}

/** One child process with all relays of a run. */
export class Relays implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** Orders are answered in turn. */
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./relay-process.js', import.meta.url)));
  }

  async open({ host, port }: Endpoint, rttMs: number): Promise<Relay> {
    const answer = await this.#order({ do: 'open', host, port, rttMs });
    const relay = 'port' in answer ? answer.port : 0;
    return {
      url: `http://127.0.0.1:${relay}`,
      port: relay,
      passages: async () => {
        const seen = await this.#order({ do: 'passages', relay });
        return 'passages' in seen ? seen.passages : [];
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.disconnect();
      await ended;
    }
  }

  #order(order: RelayOrder): Promise<RelayAnswer> {
    const answer = this.#last.then(() => this.#ask(order));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  #ask(order: RelayOrder): Promise<RelayAnswer> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('The process of the relays has ended'));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', ended);
        resolve(answer as RelayAnswer);
      });
      this.#child.send(order);
    });
  }
}
