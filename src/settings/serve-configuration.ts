// What `sallyport serve` reads of the configuration file beside what all commands do: the object `serve`. Owns its keys and their
// types; options of the command line outrank them (`cli/serve-settings.ts`).
import { dirname, resolve } from 'node:path';
import type { ConfigFields } from './config-fields.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export const LOG_FORMATS = ['text', 'json'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];
/** Of `warm`; `ready-connections.ts` has the same. */
export const MAX_WARM = 64;
/** A day, in seconds. */
export const MAX_GRACE_S = 86_400;

/** A key that is not there is `undefined`. */
export interface ServeConfiguration {
  /** `3128`, or `address:port`; not yet checked. */
  readonly listen: string | undefined;
  readonly allow: readonly string[] | undefined;
  readonly sameUser: boolean | undefined;
  readonly allowUser: readonly string[] | undefined;
  readonly token: boolean | undefined;
  readonly warm: number | undefined;
  /** An absolute path: in the file it may be relative to the file. */
  readonly log: string | undefined;
  readonly logLevel: LogLevel | undefined;
  readonly logFormat: LogFormat | undefined;
  /** Seconds. */
  readonly grace: number | undefined;
}

export const SERVE_KEYS: readonly string[] = [
  'listen',
  'allow',
  'sameUser',
  'allowUser',
  'token',
  'warm',
  'log',
  'logLevel',
  'logFormat',
  'grace',
] satisfies (keyof ServeConfiguration)[];

/**
 * @param path of the file
 * @throws SallyportError CONFIG_INVALID
 */
export function serveConfiguration(path: string, fields: ConfigFields): ServeConfiguration {
  const log = fields.text('log');
  if (log === '') {
    throw fields.invalid('log', 'is empty');
  }
  return {
    listen: fields.text('listen'),
    allow: fields.list('allow'),
    sameUser: fields.flag('sameUser'),
    allowUser: fields.list('allowUser'),
    token: fields.flag('token'),
    warm: fields.integer('warm', 0, MAX_WARM),
    log: log === undefined ? undefined : resolve(dirname(path), log),
    logLevel: fields.choice('logLevel', LOG_LEVELS),
    logFormat: fields.choice('logFormat', LOG_FORMATS),
    grace: fields.integer('grace', 0, MAX_GRACE_S),
  };
}
