// The log of one `serve` and where it goes, from its options to its end. Owns opening, and moving to another file.
import { isatty } from 'node:tty';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { LogFormat } from '../settings/serve-configuration.ts';
import { logEvents } from './log-events.ts';
import { LogSink } from './log-sink.ts';
import type { ServeLog } from './serve-log.ts';
import { createServeLog, tellDropped } from './serve-log.ts';
import type { ServeSettings } from './serve-settings.ts';

/** What is on its way at the end is waited for so long. */
const CLOSE_MS = 1000;

export class ServeOutput {
  readonly log: ServeLog;
  readonly format: LogFormat;
  readonly #sink: LogSink;
  readonly #secrets: string[];
  #path: string | null;
  #events: Disposable;

  private constructor(sink: LogSink, format: LogFormat, { log, logLevel }: ServeSettings) {
    this.#sink = sink;
    this.#secrets = [];
    this.format = format;
    this.#path = log;
    this.log = createServeLog(sink, format, logLevel, this.#secrets);
    this.#events = logEvents(this.log);
  }

  /** @throws SallyportError OUTPUT_FAILED when the file cannot be opened */
  static async open(settings: ServeSettings): Promise<ServeOutput> {
    const { log, logFormat } = settings;
    const format = logFormat ?? (log === null && isatty(2) ? 'text' : 'json');
    const tell = tellDropped(format);
    const sink = log === null ? LogSink.toStandardError(tell) : await openFile(log, tell);
    return new ServeOutput(sink, format, settings);
  }

  get linesDropped(): number {
    return this.#sink.dropped;
  }

  /** Whether people see it. */
  get isOnTerminal(): boolean {
    return this.#path === null && this.format === 'text' && isatty(2);
  }

  /** From now on this stands in no line. */
  keepSecret(word: string): void {
    this.#secrets.push(word);
  }

  /**
   * Takes the level and the file that are wanted now; a file is opened anew.
   *
   * @throws SallyportError OUTPUT_FAILED; then it goes on where it was
   */
  async follow({ log, logLevel }: ServeSettings): Promise<void> {
    if (log !== null || this.#path !== null) {
      await this.#sink.reopen(log).catch((cause: unknown) => {
        throw cannotOpen(log ?? 'standard error', cause);
      });
      this.#path = log;
    }
    if (logLevel !== this.log.level) {
      this.log.level = logLevel;
      this.#events[Symbol.dispose]();
      this.#events = logEvents(this.log);
    }
  }

  /** @returns false when a write still stands, and would hold up the end of the process */
  async close(): Promise<boolean> {
    this.#events[Symbol.dispose]();
    return this.#sink.close(CLOSE_MS);
  }
}

async function openFile(path: string, tell: ReturnType<typeof tellDropped>): Promise<LogSink> {
  try {
    return await LogSink.toFile(path, tell);
  } catch (cause) {
    throw cannotOpen(path, cause);
  }
}

function cannotOpen(path: string, cause: unknown): SallyportError {
  const word = errorWord(cause);
  return new SallyportError('OUTPUT_FAILED', `The log ${path} cannot be opened (${word})`, {
    cause,
    hint:
      word === 'ENXIO'
        ? 'Nobody reads this named pipe: start its reader first.'
        : 'Name another file with --log, or create its folder first.',
  });
}
