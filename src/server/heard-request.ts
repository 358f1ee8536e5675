// What is told of a client's request (`EVENT_NAMES.request`). Owns what of it may be told: no query, no user name, nothing long.
import type { RequestHead } from '../http1/head.ts';
import type { RequestEvent } from '../observe/events.ts';
import { areRequestsHeard, publishRequest } from '../observe/events.ts';
import { redactTarget, redactText } from '../observe/redact.ts';
import type { OwnAnswer } from './answers.ts';

const MAX_METHOD_CHARS = 20;

/** One request, while it is served. */
export class HeardRequest {
  readonly #head: RequestHead;
  readonly #begun = performance.now();

  constructor(head: RequestHead) {
    this.#head = head;
  }

  /** Its answer begins; `null` when there is none. */
  answered(
    kind: RequestEvent['kind'],
    status: number | null,
    failure: Pick<OwnAnswer, 'code' | 'why'> = {},
  ): void {
    publishRequest(new Heard(this.#head, performance.now() - this.#begun, kind, status, failure));
  }
}

/** @returns `null` where nobody listens */
export function hearRequest(head: RequestHead): HeardRequest | null {
  return areRequestsHeard() ? new HeardRequest(head) : null;
}

/** Who counts does not read the words: these are made for who does. */
class Heard implements RequestEvent {
  readonly kind: RequestEvent['kind'];
  readonly status: number | null;
  readonly error: string | null;
  readonly #why: string | null;
  readonly durationMs: number;
  readonly #head: RequestHead;

  constructor(
    head: RequestHead,
    durationMs: number,
    kind: RequestEvent['kind'],
    status: number | null,
    { code, why }: Pick<OwnAnswer, 'code' | 'why'>,
  ) {
    this.#head = head;
    this.durationMs = durationMs;
    this.kind = kind;
    this.status = status;
    this.error = code ?? null;
    this.#why = why ?? null;
  }

  get method(): string {
    return this.#head.method.slice(0, MAX_METHOD_CHARS);
  }

  get target(): string {
    return redactTarget(this.#head.target);
  }

  get why(): string | null {
    return this.#why === null ? null : redactText(this.#why);
  }
}

/** What was answered before there was a request. */
export function hearUnread(kind: 'invalid' | 'refused', { status, code }: OwnAnswer): void {
  if (areRequestsHeard()) {
    const error = code ?? null;
    publishRequest({ kind, method: '', target: '', status, error, durationMs: 0 });
  }
}
