// Where log lines go: a file, or standard error. Owns that nobody waits for them: a pipe nobody reads, a full or slow disk cost
// lines, which are counted, and said once one can be written again. Knows nothing of what is in a line.
import { close, constants, open, write } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorWord } from '../errors/error-word.ts';

/** Characters that wait, beyond those on their way; more are dropped. */
const MAX_WAITING_CHARS = 256 * 1024;
/** Handed to the system at once. */
const BATCH_CHARS = 65_536;
/** After a failure; each time in a row twice as long. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** A pipe that is full says so at once. */
const FULL_PIPE_MS = 50;
const LONGEST_FULL_PIPE_MS = 1000;

const { O_APPEND, O_CREAT, O_WRONLY } = constants;
/** For a named pipe, where there are any. */
const O_NONBLOCK = constants.O_NONBLOCK ?? 0;
const openFile = promisify(open);
const closeFile = promisify(close);
/** It names who asked for what. */
const OWN_ONLY = 0o600;
const LINE_END = 0x0a;
const STANDARD_ERROR = 2;
const TOO_MANY = 'more came than could be written';

/** What is said of lines that were lost. */
export type TellDropped = (lines: number, why: string) => string;

interface Target {
  readonly descriptor: number;
  /** Standard error stays open. */
  readonly isOurs: boolean;
}

/** A write that is about to be done. */
interface Batch {
  /** Lost lines it tells of. */
  readonly said: number;
  /** Bytes in front of its own lines. */
  readonly opening: number;
  readonly bytes: Buffer;
}

export class LogSink {
  readonly #tell: TellDropped;
  #descriptor: number;
  #isOurs: boolean;
  /** Opened, and used from the next line on. */
  #next: Target | null = null;
  readonly #waiting: string[] = [];
  #waitingChars = 0;
  #unsaid = 0;
  #dropped = 0;
  #why = TOO_MANY;
  /** The last line has no end. */
  #isTorn = false;
  #pumping: Promise<void> | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #wake: (() => void) | null = null;
  #isClosing = false;

  private constructor(descriptor: number, isOurs: boolean, tell: TellDropped) {
    this.#descriptor = descriptor;
    this.#isOurs = isOurs;
    this.#tell = tell;
  }

  static toStandardError(tell: TellDropped): LogSink {
    return new LogSink(STANDARD_ERROR, false, tell);
  }

  /** @throws the error of the operating system when the file cannot be opened */
  static async toFile(path: string, tell: TellDropped): Promise<LogSink> {
    return new LogSink(await openLog(path), true, tell);
  }

  /** Lines that were lost so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line with its end. Never waits, never throws. */
  write(line: string): void {
    if (this.#isClosing || this.#waitingChars + line.length > MAX_WAITING_CHARS) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    this.#pump();
  }

  /**
   * Goes on in the file of that name, as after a rotation; `null` for standard error.
   *
   * @throws the error of the operating system; then all stays as it was
   */
  async reopen(path: string | null): Promise<void> {
    const opened: Target =
      path === null
        ? { descriptor: STANDARD_ERROR, isOurs: false }
        : { descriptor: await openLog(path), isOurs: true };
    const replaced = this.#next;
    this.#next = opened;
    if (replaced?.isOurs) {
      await closeFile(replaced.descriptor);
    }
    this.#wake?.();
    this.#pump();
  }

  /**
   * Takes no more, and waits for what is on its way.
   *
   * @returns whether it has all left; else a write still stands, which would hold up the end of the process
   */
  async close(limitMs: number): Promise<boolean> {
    this.#isClosing = true;
    this.#wake?.();
    const limit = new AbortController();
    const late = pause(limitMs, false, { signal: limit.signal }).catch(() => false);
    const done = await Promise.race([(this.#pumping ?? Promise.resolve()).then(() => true), late]);
    limit.abort();
    if (done && this.#isOurs) {
      await closeFile(this.#descriptor);
    }
    return done;
  }

  #lose(lines: number): void {
    this.#unsaid += lines;
    this.#dropped += lines;
  }

  #pump(): void {
    this.#pumping ??= this.#writeAll().finally(() => {
      this.#pumping = null;
      if (this.#waiting.length > 0 && !this.#isClosing) {
        this.#pump();
      }
    });
  }

  async #writeAll(): Promise<void> {
    // Lines of one turn go out together.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#unsaid > 0 || this.#next !== null) {
      await this.#follow();
      const batch = this.#takeBatch();
      const failure = await this.#writeBatch(batch);
      if (failure === null) {
        this.#pauseMs = FIRST_PAUSE_MS;
        continue;
      }
      this.#why = failure;
      if (this.#isClosing) {
        return;
      }
      await this.#rest();
    }
  }

  /** To the file that was opened last. */
  async #follow(): Promise<void> {
    const next = this.#next;
    if (next === null) {
      return;
    }
    const [before, wasOurs] = [this.#descriptor, this.#isOurs];
    this.#next = null;
    this.#descriptor = next.descriptor;
    this.#isOurs = next.isOurs;
    this.#isTorn = false;
    if (wasOurs) {
      await closeFile(before).catch(() => undefined);
    }
  }

  #takeBatch(): Batch {
    const said = this.#unsaid;
    const notice = said === 0 ? '' : this.#tell(said, this.#why);
    let text = '';
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      text += line;
      if (text.length >= BATCH_CHARS) {
        break;
      }
    }
    this.#waitingChars -= text.length;
    this.#why = TOO_MANY;
    const opening = Buffer.from(`${this.#isTorn ? '\n' : ''}${notice}`);
    return { said, opening: opening.length, bytes: Buffer.concat([opening, Buffer.from(text)]) };
  }

  /** @returns why the rest of it is lost; `null` when it was written */
  async #writeBatch({ said, opening, bytes }: Batch): Promise<string | null> {
    let written = 0;
    let failure: string | null = null;
    while (written < bytes.length && failure === null) {
      try {
        written += await writeSome(this.#descriptor, bytes.subarray(written));
      } catch (error) {
        failure = errorWord(error);
      }
    }
    if (written >= opening) {
      this.#unsaid -= said;
    }
    if (written > 0) {
      this.#isTorn = bytes[written - 1] !== LINE_END;
    }
    this.#lose(linesIn(bytes.subarray(Math.max(written, opening))));
    return failure;
  }

  /** Until it is worth another try. */
  async #rest(): Promise<void> {
    const stop = new AbortController();
    this.#wake = () => stop.abort();
    await pause(this.#pauseMs, undefined, { ref: false, signal: stop.signal }).catch(
      () => undefined,
    );
    this.#wake = null;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}

async function openLog(path: string): Promise<number> {
  return await openFile(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, OWN_ONLY);
}

/** On a thread of libuv, so that a slow disk holds up that thread alone. */
async function writeSome(descriptor: number, bytes: Buffer): Promise<number> {
  for (let waitMs = FULL_PIPE_MS; ; waitMs = Math.min(LONGEST_FULL_PIPE_MS, waitMs * 2)) {
    const [error, written] = await new Promise<[NodeJS.ErrnoException | null, number]>((resolve) =>
      write(descriptor, bytes, 0, bytes.length, null, (...result) =>
        resolve([result[0], result[1]]),
      ),
    );
    if (error === null) {
      return written;
    }
    if (error.code !== 'EAGAIN') {
      throw error;
    }
    await pause(waitMs, undefined, { ref: false });
  }
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) {
    lines += 1;
  }
  return lines;
}
