// One address of `get`, over all its tries: asks, judges the answer, and brings the bytes to their place. Owns the order of
// these; what may be continued is `continuation.ts`, what may be tried again `retries.ts`.
import { setTimeout as pause } from 'node:timers/promises';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { HttpResponse, Upstream } from '../upstream/upstream.ts';
import { openDestination } from './choose-destination.ts';
import type { Held } from './continuation.ts';
import { findObstacle, judge, rangeHeaders } from './continuation.ts';
import type { Destination } from './destination.ts';
import { Digest } from './digest.ts';
import type { Job } from './get-files.ts';
import type { Plan } from './get-plan.ts';
import { headText } from './head-text.ts';
import { remark, tellHeaders, tellRoute } from './narrate.ts';
import { askedFor, describePart } from './part-record.ts';
import { formatBytes, Progress } from './progress.ts';
import type { Followed } from './redirects.ts';
import { discard, requestFollowing } from './redirects.ts';
import { tellRetry } from './report.ts';
import { describeRefusal, waitAfter } from './retries.ts';
import { checkStatus } from './status-error.ts';
import type { Stops } from './stops.ts';

/** How a transfer ended, for the summary. */
export interface Done extends Followed {
  /** Length of all that was downloaded. */
  readonly bytes: number;
  /** How much of it was there before. */
  readonly continuedAt: number;
  readonly tries: number;
  /** `null` where nobody asked for it. */
  readonly sha256: string | null;
  /** Bytes that were uploaded, or `null`. */
  readonly sent: number | null;
}

export interface Surroundings {
  readonly upstream: Upstream;
  readonly stops: Stops;
  readonly verbose: number;
  /** Before the progress line, where several run one after the other. */
  readonly label: string;
  readonly countsDigest: boolean;
}

/**
 * Downloads to the file of the job, or uploads and saves the answer there.
 *
 * @throws SallyportError of the last try; DIGEST_MISMATCH; INTERRUPTED or TIMEOUT when it was stopped
 */
export async function transfer(job: Job, plan: Plan, around: Surroundings): Promise<Done> {
  const destination = await openDestination(job.file, plan.continues);
  try {
    return await new Transfer(job, plan, around, destination).run();
  } finally {
    await destination.close();
  }
}

class Transfer {
  readonly #job: Job;
  readonly #plan: Plan;
  readonly #around: Surroundings;
  readonly #destination: Destination;
  readonly #digest: Digest | null;
  readonly #asked: string;
  #legs = 0;
  #connections = 0;
  #continuedAt = 0;
  #sent = 0;
  /** What was written to standard output cannot be continued, and not be taken back. */
  #isStuck = false;
  /** Another try would have followed, but for `--max-time`. */
  #isOutOfTime = false;

  constructor(job: Job, plan: Plan, around: Surroundings, destination: Destination) {
    this.#job = job;
    this.#plan = plan;
    this.#around = around;
    this.#destination = destination;
    this.#digest = around.countsDigest ? new Digest() : null;
    this.#asked = askedFor(job.url, plan.headers);
  }

  async run(): Promise<Done> {
    for (let tries = 1; ; tries += 1) {
      try {
        if (tries === 1) {
          await this.#readHeld();
        }
        return await this.#once(tries);
      } catch (failure) {
        const wait = this.#waitAfter(failure, tries);
        if (wait === null) {
          throw this.#told(failure);
        }
        tellRetry(failure, wait, `${tries} of ${this.#plan.retries}`);
        this.#destination.touch();
        await pause(wait, undefined, { signal: this.#signal }).catch(() => {
          throw this.#told(failure);
        });
      }
    }
  }

  get #signal(): AbortSignal {
    return this.#around.stops.signal;
  }

  /** The digest begins with what is there. */
  async #readHeld(): Promise<void> {
    if (this.#digest === null || this.#findHeld() === null) {
      return;
    }
    for await (const piece of this.#destination.read()) {
      this.#signal.throwIfAborted();
      this.#digest.update(piece);
    }
  }

  async #once(tries: number): Promise<Done> {
    this.#signal.throwIfAborted();
    const held = this.#findHeld();
    if (held === null) {
      this.#tellObstacle();
    }
    let followed = await this.#ask(held);
    try {
      if (held !== null) {
        const verdict = judge(followed.response, held);
        if (verdict.do === 'done' || verdict.do === 'append') {
          this.#continuedAt = tries === 1 ? held.length : this.#continuedAt;
          await (verdict.do === 'done'
            ? discard(followed.response)
            : this.#receive(followed.response, verdict.total));
          return await this.#finish(followed, tries);
        }
        if (verdict.do !== 'refuse') {
          this.#startOver(verdict.why);
        }
        if (verdict.do === 'ask-again') {
          await discard(followed.response);
          followed = await this.#ask(null);
        }
      }
      const { response } = followed;
      checkStatus(response);
      this.#checkWhole(response);
      await this.#destination.begin(describePart(response, this.#asked), this.#signal);
      this.#digest?.reset();
      this.#continuedAt = 0;
      if (this.#plan.method === 'HEAD') {
        await this.#destination.write(Buffer.from(headText(response)));
      }
      await this.#receive(response, null);
      return await this.#finish(followed, tries);
    } finally {
      // Whatever happens, the connection does not outlive the command.
      followed.response.body.destroy();
    }
  }

  /** What is there and can be continued, or `null`. */
  #findHeld(): Held | null {
    const { length, record } = this.#destination;
    if (length === 0 || record === null || !this.#mayAskForRest) {
      return null;
    }
    return findObstacle({ length, record }, this.#asked) === null ? { length, record } : null;
  }

  /** A part of a part that somebody else asked for is beyond us. */
  get #mayAskForRest(): boolean {
    const { method, headers, upload } = this.#plan;
    return method === 'GET' && upload === null && !headers.some(([name]) => isRange(name));
  }

  /** @throws SallyportError RESPONSE_INVALID for a part that nobody asked for */
  #checkWhole({ status, url }: HttpResponse): void {
    if (status === 206 && this.#mayAskForRest) {
      throw new SallyportError(
        'RESPONSE_INVALID',
        `${new URL(url).host} sent a part (206), and all of it was asked for`,
        { hint: 'Tell the people who run that server, or a cache on the way to it.' },
      );
    }
  }

  #tellObstacle(): void {
    const { length, record } = this.#destination;
    if (length > 0) {
      this.#startOver(
        record === null
          ? 'nobody wrote down what it is the beginning of'
          : (findObstacle({ length, record }, this.#asked) ?? 'a part was asked for'),
      );
    }
  }

  /** @throws SallyportError when what was written cannot be taken back */
  #startOver(why: string): void {
    const { part, canStartOver } = this.#destination;
    if (!canStartOver) {
      this.#isStuck = true;
      throw new SallyportError('BODY_INCOMPLETE', `The rest cannot be had: ${why}`, {
        hint: 'Name a file with -o: it can be begun again.',
      });
    }
    if (this.#around.verbose > 0) {
      remark(`${part ?? 'the download'} is begun again: ${why}`);
    }
  }

  async #ask(held: Held | null): Promise<Followed> {
    const { upstream, verbose } = this.#around;
    const { method, headers, upload } = this.#plan;
    const progress =
      upload !== null && process.stderr.isTTY ? this.#progress(upload.length, 0) : null;
    const followed = await requestFollowing(
      upstream,
      this.#job.url,
      {
        method,
        headers: [
          ...headers,
          ...(held === null ? [] : rangeHeaders(held)),
          ...(typeof upload?.length === 'number'
            ? [['Content-Length', String(upload.length)] as const]
            : []),
        ],
        body:
          upload?.body(
            () => {
              this.#sent = 0;
              progress?.restart();
            },
            (bytes) => {
              this.#sent += bytes;
              progress?.add(bytes);
            },
          ) ?? null,
      },
      {
        signal: this.#signal,
        beforeRequest: (url) => {
          this.#destination.touch();
          if (verbose > 0) {
            tellRoute(url, upstream.routeFor(url));
          }
        },
      },
    ).finally(() => progress?.end());
    this.#legs += followed.legs;
    this.#connections += followed.connections;
    if (verbose >= 2) {
      tellHeaders(followed.response.rawHeaders);
    }
    return followed;
  }

  /** @param total of the whole, when the answer is the rest of it */
  async #receive({ body, headers }: HttpResponse, total: number | null): Promise<void> {
    const destination = this.#destination;
    const announced = headers['content-length'];
    const length = total ?? (announced === undefined ? null : Number(announced));
    const isSeen = process.stderr.isTTY && (this.#job.file !== null || !process.stdout.isTTY);
    const progress = isSeen ? this.#progress(length, destination.length) : null;
    try {
      for await (const piece of body) {
        this.#digest?.update(piece);
        const wait = destination.write(piece);
        if (wait !== undefined) {
          await wait;
        }
        progress?.add(piece.length);
      }
      await destination.flush();
    } finally {
      progress?.end();
    }
    if (total !== null && destination.length !== total) {
      const { length: came } = destination;
      destination.reject();
      throw new SallyportError(
        'BODY_INCOMPLETE',
        `${this.#job.url.host} announced ${total} bytes, and with the rest it sent they are ${came}`,
        { hint: 'Try again: it is begun again then.' },
      );
    }
  }

  #progress(total: number | null, already: number): Progress {
    return new Progress(process.stderr, total, { already, label: this.#around.label });
  }

  async #finish(followed: Followed, tries: number): Promise<Done> {
    const destination = this.#destination;
    const sha256 = this.#digest?.hex() ?? null;
    if (this.#plan.sha256 !== null && sha256 !== this.#plan.sha256) {
      await destination.flush();
      destination.reject();
      throw this.#mismatch(String(sha256));
    }
    await destination.complete();
    return {
      ...followed,
      legs: this.#legs,
      connections: this.#connections,
      bytes: destination.length,
      continuedAt: this.#continuedAt,
      tries,
      sha256,
      sent: this.#plan.upload === null ? null : this.#sent,
    };
  }

  #mismatch(found: string): SallyportError {
    const { part } = this.#destination;
    const kept =
      part === null
        ? 'What has gone out is not to be used.'
        : `${this.#job.file} is as it was. What has arrived is in ${part}, and is not continued.`;
    return new SallyportError(
      'DIGEST_MISMATCH',
      `${this.#job.url.host} sent something else: its SHA-256 is ${found}, not ${this.#plan.sha256}`,
      {
        hint:
          this.#continuedAt > 0
            ? `${kept} Its beginning was there before: try again, which begins anew.`
            : `${kept} Check the address, and where the digest is from.`,
      },
    );
  }

  /** @returns milliseconds, or `null` when it is not tried again */
  #waitAfter(failure: unknown, tries: number): number | null {
    const { stops, verbose } = this.#around;
    if (this.#signal.aborted || this.#isStuck || tries > this.#plan.retries) {
      return null;
    }
    const wait = waitAfter(failure, tries);
    if (wait === null || wait >= stops.left) {
      if (verbose > 0) {
        remark(wait === null ? describeRefusal(failure) : 'no time is left for another try');
      }
      this.#isOutOfTime = wait !== null;
      return null;
    }
    return wait;
  }

  /** The failure, with what became of the bytes that have arrived. */
  #told(failure: unknown): unknown {
    if (this.#signal.aborted) {
      const { code, message } = this.#signal.reason as SallyportError;
      return new SallyportError(code, `${message} ${this.#when}`, {
        cause: failure,
        ...this.#kept,
      });
    }
    return this.#isOutOfTime ? withoutTime(this.#toldCut(failure)) : this.#toldCut(failure);
  }

  #toldCut(failure: unknown): unknown {
    const isCut =
      isSallyportError(failure) &&
      (failure.code === 'BODY_INCOMPLETE' || failure.code === 'TIMEOUT');
    return isCut && this.#kept.hint !== undefined
      ? new SallyportError(failure.code, failure.message, { cause: failure, ...this.#kept })
      : failure;
  }

  get #when(): string {
    const { length } = this.#destination;
    if (length > 0) {
      return `after ${formatBytes(length)}`;
    }
    return this.#sent > 0 ? `after sending ${formatBytes(this.#sent)}` : 'before the first byte';
  }

  get #kept(): { hint?: string } {
    const { part, length } = this.#destination;
    if (part === null || length === 0) {
      return {};
    }
    return {
      hint:
        this.#findHeld() === null
          ? `What has arrived is in ${part}.`
          : `What has arrived is in ${part}: --continue goes on there.`,
    };
  }
}

/** Whoever gave it both `--retry` and `--max-time` is told which of them ended it. */
function withoutTime(failure: unknown): unknown {
  if (!isSallyportError(failure)) {
    return failure;
  }
  const { code, message, hint, status, retryAfterMs } = failure;
  const late = '--max-time leaves no time for another try.';
  return new SallyportError(code, message, {
    ...{ cause: failure, retryAfterMs, hint: hint === undefined ? late : `${hint} ${late}` },
    ...(status === undefined ? {} : { status }),
  });
}

function isRange(name: string): boolean {
  return /^(?:range|if-range)$/i.test(name);
}
