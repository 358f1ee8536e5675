// The configuration file: one JSON object of a user. Owns its keys; refuses unknown ones, passwords and files nobody asked for. The
// meaning of the values is checked where they are used.
import { dirname, resolve } from 'node:path';
import type { SallyportErrorOptions } from '../errors/sallyport-error.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { ConfigFields, TWO_BACKSLASHES } from './config-fields.ts';
import { findDefaultConfigPath } from './config-path.ts';
import type { JsonFault } from './json-fault.ts';
import { findJsonFault } from './json-fault.ts';
import { findPlaces } from './json-places.ts';
import { readBounded } from './read-bounded.ts';
import type { ServeConfiguration } from './serve-configuration.ts';
import { SERVE_KEYS, serveConfiguration } from './serve-configuration.ts';

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
  /** For `sallyport serve` alone. */
  readonly serve: ServeConfiguration | undefined;
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
  'serve',
] satisfies (keyof Configuration)[];
const MAX_BYTES = 1024 * 1024;

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
  const text = decode(path, bytes);
  const values = parseObject(path, text);
  const { places, double } = findPlaces(text);
  const fields = new ConfigFields(path, '', values, places, KEYS, { serve: SERVE_KEYS });
  if (double !== null) {
    throw fields.invalid(double, 'stands there twice');
  }
  const ca = fields.text('ca');
  const serve = fields.object('serve', SERVE_KEYS);
  return {
    path,
    proxy: fields.text('proxy'),
    noProxy: fields.text('noProxy', true),
    auth: fields.list('auth'),
    user: fields.text('user'),
    originUser: fields.text('originUser'),
    ca: ca === undefined ? undefined : resolve(dirname(path), ca),
    spn: fields.text('spn'),
    allowBasicHttp: fields.flag('allowBasicHttp'),
    trusted: fields.list('trusted'),
    trustedProxies: fields.list('trustedProxies'),
    delegate: fields.list('delegate'),
    noAuth: fields.list('noAuth'),
    systemSignOn: fields.flag('systemSignOn'),
    allowNtlm: fields.flag('allowNtlm'),
    spnCanonical: fields.text('spnCanonical'),
    securityLibrary: fields.text('securityLibrary'),
    systemProxy: fields.flag('systemProxy'),
    systemCa: fields.flag('systemCa'),
    serve: serve === undefined ? undefined : serveConfiguration(path, serve),
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

function invalid(detail: string, options: SallyportErrorOptions = {}): SallyportError {
  return new SallyportError('CONFIG_INVALID', detail, options);
}
