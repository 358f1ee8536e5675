// The log of `serve`: JSON lines by pino, or lines for people. Owns which words go into one, redacted and bounded; where they go is
// `log-sink.ts`.
import { pino, stdTimeFunctions } from 'pino';
import { redactText } from '../observe/redact.ts';
import type { LogFormat, LogLevel } from '../settings/serve-configuration.ts';
import type { LogSink, TellDropped } from './log-sink.ts';
import { printable } from './printable.ts';

/** Numbers as they are; texts are redacted and cut. */
export type LogFields = Readonly<Record<string, string | number | null | undefined>>;

export interface ServeLog {
  level: LogLevel;
  say(level: LogLevel, message: string, fields?: LogFields): void;
}

/** Of one text. */
const MAX_CHARS = 300;

/** @param secrets what must stand in no line, wherever it comes from */
export function createServeLog(
  sink: Pick<LogSink, 'write'>,
  format: LogFormat,
  level: LogLevel,
  secrets: readonly string[],
): ServeLog {
  const write =
    format === 'json'
      ? (line: string) => sink.write(line)
      : (line: string) => sink.write(textOf(line));
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const clean = (text: string): string =>
    secrets.reduce(
      (rest, secret) => rest.replaceAll(secret, '[secret]'),
      redactText(text, MAX_CHARS),
    );
  return {
    get level() {
      return logger.level as LogLevel;
    },
    set level(wanted) {
      logger.level = wanted;
    },
    say: (at, message, fields = {}) => {
      if (!logger.isLevelEnabled(at)) {
        return;
      }
      const cleaned = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? clean(value) : value,
      ]);
      logger[at](Object.fromEntries(cleaned), clean(message));
    },
  };
}

/** A line about lines that were lost, in either form. */
export function tellDropped(format: LogFormat): TellDropped {
  return (lines, why) => {
    const line = JSON.stringify({
      level: 'warn',
      time: new Date().toISOString(),
      dropped: lines,
      why,
      msg: `${lines} log lines before this one were lost`,
    });
    return format === 'json' ? `${line}\n` : textOf(line);
  };
}

/** `2026-01-31T12:00:00.000Z warn  message (key value, key value)` */
function textOf(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const told = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`);
  const behind = told.length === 0 ? '' : ` (${told.join(', ')})`;
  return `${printable(`${time} ${String(level).padEnd(5)} ${msg}${behind}`)}\n`;
}
