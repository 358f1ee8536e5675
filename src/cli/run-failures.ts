// What the local proxy of a `run` could not do for its program. A client shows no page of a refused tunnel ("CONNECT tunnel failed,
// response 502"), so the reason is told behind a program that failed. Owns the collecting, and that it stays short.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { RequestEvent } from '../observe/events.ts';
import { EVENT_NAMES } from '../observe/events.ts';
import type { ProgramEnd } from './child-program.ts';
import { tell } from './report.ts';

/** One cause is the rule; a program that tries hundreds of hosts fills no screen. */
const MAX_REASONS = 3;

/** Listens until it is disposed. */
export class RunFailures implements Disposable {
  readonly #reasons = new Set<string>();
  readonly #hear = (message: unknown): void => {
    const { why } = message as RequestEvent;
    if (why && this.#reasons.size < MAX_REASONS) {
      this.#reasons.add(why);
    }
  };

  constructor() {
    subscribe(EVENT_NAMES.request, this.#hear);
  }

  /** Says nothing where the program did what it was to do, or was ended. */
  tellAfter(end: ProgramEnd): void {
    if ('code' in end && end.code !== 0) {
      for (const reason of this.#reasons) {
        tell(reason);
      }
    }
  }

  [Symbol.dispose](): void {
    unsubscribe(EVENT_NAMES.request, this.#hear);
  }
}
