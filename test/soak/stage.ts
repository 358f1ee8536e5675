// The parent's end of `stage-process.ts`: starts it, asks it, ends it.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StageAnswer, StageCounts, StageOrder, StagePlaces } from './stage-process.ts';

export class Stage implements AsyncDisposable {
  readonly places: StagePlaces;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, places: StagePlaces) {
    this.#child = child;
    this.places = places;
  }

  static async open(seed: number): Promise<Stage> {
    const child = fork(fileURLToPath(new URL('./stage-process.js', import.meta.url)));
    const answer = await ask(child, { do: 'open', seed });
    if ('places' in answer) {
      return new Stage(child, answer.places);
    }
    throw new Error('The process of the proxies gave the answer to another order');
  }

  /** What the proxies have counted since they began. */
  async counts(): Promise<StageCounts> {
    const answer = await ask(this.#child, { do: 'count' });
    if ('counts' in answer) {
      return answer.counts;
    }
    throw new Error('The process of the proxies gave the answer to another order');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.disconnect();
      await ended;
    }
  }
}

/** One order at a time: the caller waits for its answer. */
function ask(child: ChildProcess, order: StageOrder): Promise<StageAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('The process of the proxies has ended'));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as StageAnswer);
    });
    child.send(order);
  });
}
