// The configuration file: one flat JSON object of a user. Owns its keys and their types; refuses unknown keys,
// passwords and files nobody asked for. The meaning of the values is checked where they are used.
import { dirname, resolve } from 'node:path';
import type { SallyportErrorOptions } from '../errors/sallyport-error.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { findDefaultConfigPath } from './config-path.ts';
import type { JsonFault } from './json-fault.ts';
import { findJsonFault } from './json-fault.ts';
import { readBounded } from './read-bounded.ts';
import { parseWordList } from './word-list.ts';

/** What a configuration file says; a key it does not have is `undefined`. */
export interface Configuration {
  readonly path: string;
  readonly proxy: string | undefined;
  readonly noProxy: string | undefined;
  /** Scheme names in order of preference, not yet checked. */
  readonly auth: readonly string[] | undefined;
  readonly user: string | undefined;
  readonly originUser: string | undefined;
  /** An absolute path: in the file it may be relative to the file. */
  readonly ca: string | undefined;
  readonly spn: string | undefined;
  readonly allowBasicHttp: boolean | undefined;
  /** Host names, not yet checked. */
  readonly trusted: readonly string[] | undefined;
  readonly trustedProxies: readonly string[] | undefined;
  readonly delegate: readonly string[] | undefined;
  readonly noAuth: readonly string[] | undefined;
  readonly systemSignOn: boolean | undefined;
  readonly allowNtlm: boolean | undefined;
  readonly spnCanonical: string | undefined;
  readonly securityLibrary: string | undefined;
  readonly systemProxy: boolean | undefined;
  readonly systemCa: boolean | undefined;
}

const KEYS: readonly string[] = [
  'proxy',
  'noProxy',
  'auth',
  'user',
  'originUser',
  'ca',
  'spn',
  'allowBasicHttp',
  'trusted',
  'trustedProxies',
  'delegate',
  'noAuth',
  'systemSignOn',
  'allowNtlm',
  'spnCanonical',
  'securityLibrary',
  'systemProxy',
  'systemCa',
] satisfies (keyof Configuration)[];
const MAX_BYTES = 1024 * 1024;
const TWO_BACKSLASHES = 'In JSON a backslash is written twice: "CORP\\\\alice".';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is to find
const CONTROL = /[\0-\x1f\x7f]/;
const PASSWORD_LIKE = /pass(?:word|wd|phrase)|secret|token|credential/i;

/**
 * Reads the file the caller names, or else the file of this user when there is one.
 *
 * @param path the option, or else `SALLYPORT_CONFIG` (`Environment.config`); then the file must exist
 * @throws SallyportError CONFIG_INVALID
 */
export async function readConfiguration(
  path: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<Configuration | undefined> {
  const file = path ?? findDefaultConfigPath(env, platform);
  if (file === undefined) {
    return undefined;
  }
  const bytes = await readBytes(file, path === undefined);
  return bytes === undefined ? undefined : parseConfiguration(file, bytes);
}

async function readBytes(path: string, mayBeAbsent: boolean): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readBounded(path, MAX_BYTES);
    if (bytes !== null) {
      return bytes;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (mayBeAbsent && (code === 'ENOENT' || code === 'ENOTDIR')) {
      return undefined;
    }
    throw invalid(`${path} cannot be read (${code})`, {
      hint:
        code === 'ENOENT'
          ? 'Check its name; --config and SALLYPORT_CONFIG name another.'
          : 'Check that it is a file you may read.',
      cause: error,
    });
  }
  throw invalid(`${path} is larger than 1 MiB`);
}

/**
 * Reads the content of such a file.
 *
 * @param path for messages, and for what in it is relative
 * @throws SallyportError CONFIG_INVALID
 */
export function parseConfiguration(path: string, bytes: Uint8Array): Configuration {
  const values = parseObject(path, decode(path, bytes));
  for (const key of Object.keys(values)) {
    checkKey(path, key);
  }
  const ca = textOf(path, values, 'ca');
  return {
    path,
    proxy: textOf(path, values, 'proxy'),
    noProxy: textOf(path, values, 'noProxy'),
    auth: listOf(path, values, 'auth'),
    user: textOf(path, values, 'user'),
    originUser: textOf(path, values, 'originUser'),
    ca: ca === undefined ? undefined : resolve(dirname(path), ca),
    spn: textOf(path, values, 'spn'),
    allowBasicHttp: flagOf(path, values, 'allowBasicHttp'),
    trusted: listOf(path, values, 'trusted'),
    trustedProxies: listOf(path, values, 'trustedProxies'),
    delegate: listOf(path, values, 'delegate'),
    noAuth: listOf(path, values, 'noAuth'),
    systemSignOn: flagOf(path, values, 'systemSignOn'),
    allowNtlm: flagOf(path, values, 'allowNtlm'),
    spnCanonical: textOf(path, values, 'spnCanonical'),
    securityLibrary: textOf(path, values, 'securityLibrary'),
    systemProxy: flagOf(path, values, 'systemProxy'),
    systemCa: flagOf(path, values, 'systemCa'),
  };
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    // Also drops the byte order mark that Windows editors write.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`${path} is not UTF-8 text`, { hint: 'Save the file as UTF-8.', cause: error });
  }
}

function parseObject(path: string, text: string): Record<string, unknown> {
  const fault = findJsonFault(text);
  if (fault !== undefined) {
    throw invalid(`${path}:${fault.line}:${fault.column} is where it stops being JSON`, {
      hint: hasLoneBackslash(text, fault)
        ? TWO_BACKSLASHES
        : 'JSON wants double quotes round every name, no comma at the end, and no comments.',
    });
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${path} does not hold a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Whether it is a string, at the fault, that stops being one at a backslash: `"CORP\alice"`. */
function hasLoneBackslash(text: string, { line, column }: JsonFault): boolean {
  const rest = text.split('\n')[line - 1]?.slice(column - 1) ?? '';
  return /^"(?:[^"\\]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*\\/.test(rest);
}

function checkKey(path: string, key: string): void {
  if (KEYS.includes(key)) {
    return;
  }
  if (PASSWORD_LIKE.test(key)) {
    throw invalid(`${path}: ${quote(key)} has no place in a file that is kept`, {
      hint: 'Give the password in SALLYPORT_PASSWORD or with --password-stdin.',
    });
  }
  throw invalid(`${path}: the key ${quote(key)} is unknown`, {
    hint: `Known keys are ${KEYS.join(', ')}.`,
  });
}

function textOf(path: string, values: Record<string, unknown>, key: string): string | undefined {
  const value = values[key];
  // A list may be broken into lines.
  if (key !== 'noProxy' && typeof value === 'string' && CONTROL.test(value)) {
    // `"CORP\boris"` is JSON: with a backspace in it.
    throw invalid(`${path}: ${quote(key)} has a control character`, { hint: TWO_BACKSLASHES });
  }
  if (value === undefined || typeof value === 'string') {
    return value;
  }
  throw invalid(`${path}: ${quote(key)} is not a string`);
}

function flagOf(path: string, values: Record<string, unknown>, key: string): boolean | undefined {
  const value = values[key];
  if (value === undefined || typeof value === 'boolean') {
    return value;
  }
  throw invalid(`${path}: ${quote(key)} is neither true nor false`);
}

function listOf(
  path: string,
  values: Record<string, unknown>,
  key: string,
): readonly string[] | undefined {
  const value = values[key];
  if (value === undefined) {
    return undefined;
  }
  if (typeof value === 'string') {
    return parseWordList(value);
  }
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
    return value;
  }
  throw invalid(`${path}: ${quote(key)} is neither an array of strings nor a string with commas`);
}

function invalid(detail: string, options: SallyportErrorOptions = {}): SallyportError {
  return new SallyportError('CONFIG_INVALID', detail, options);
}

function quote(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}...` : key);
}
