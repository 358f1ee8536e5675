// The proxy settings of GNOME and the desktops that share them (Cinnamon, Unity, Budgie, ...), as `gsettings` tells them.
// Owns the schema org.gnome.system.proxy and GVariant's text form of it. Servers, which have no desktop, pay nothing.
import { access, constants } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { SystemProxy } from './proxy-settings.ts';
import type { RunCommand } from './run-command.ts';

const NAME = 'GNOME settings';
const SCHEMA = 'org.gnome.system.proxy';
const PLACES = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** Returns `null` where there is no desktop, or none of this kind. */
export async function readGnomeProxy(
  env: NodeJS.ProcessEnv,
  run: RunCommand,
  timeoutMs: number,
): Promise<SystemProxy | null> {
  if (!env['XDG_CURRENT_DESKTOP'] && !env['GSETTINGS_BACKEND']) {
    return null;
  }
  const gsettings = await findGsettings();
  if (gsettings === undefined) {
    return null;
  }
  const answer = await run(gsettings, ['list-recursively', SCHEMA], env, timeoutMs);
  return 'problem' in answer
    ? { name: NAME, problem: answer.problem }
    : parseGnomeProxy(answer.output);
}

/**
 * Reads the output of `gsettings list-recursively org.gnome.system.proxy`.
 *
 * @returns `null` when the mode is `none`
 */
export function parseGnomeProxy(output: string): SystemProxy | null {
  const values = new Map<string, string>();
  for (const line of output.split('\n')) {
    const match = /^org\.gnome\.system\.proxy\.?(\S*) (\S+) (.*)$/.exec(line);
    if (match !== null) {
      values.set(`${match[1]} ${match[2]}`.trim(), match[3] ?? '');
    }
  }
  const text = (key: string): string => parseStrings(values.get(key) ?? '')[0] ?? '';
  const bypass = parseStrings(values.get('ignore-hosts') ?? '');
  const common = { name: NAME, bypass, bypassDialect: 'domains' } as const;
  switch (text('mode')) {
    case 'auto': {
      const pacUrl = text('autoconfig-url');
      return pacUrl === '' ? { ...common, autoDetect: true } : { ...common, pacUrl };
    }
    case 'manual': {
      const proxyOf = (kind: string) =>
        hostAndPort(text(`${kind} host`), values.get(`${kind} port`) ?? '');
      const httpProxy = proxyOf('http');
      // As in GLib: the one for http stands in for the one for https.
      const httpsProxy = proxyOf('https') ?? httpProxy;
      const socksOnly = httpsProxy === undefined && text('socks host') !== '';
      return {
        ...common,
        httpProxy,
        httpsProxy,
        ...(socksOnly ? { problem: 'they name a SOCKS proxy only' } : {}),
      };
    }
    default:
      return null;
  }
}

function hostAndPort(host: string, port: string): string | undefined {
  if (host === '') {
    return undefined;
  }
  const bracketed = isIPv6(host) ? `[${host}]` : host;
  return port === '0' || port === '' ? bracketed : `${bracketed}:${port}`;
}

/**
 * The strings in a value: `'text'`, `"it's"`, `['a', 'b']`, `@as []`. Each is looked for where the last one ended (`y`),
 * so that one without its end ends the search, instead of beginning one from each quote in it.
 */
function parseStrings(value: string): string[] {
  const strings = value.matchAll(/[^'"]*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/gy);
  return [...strings].map(([, single, double]) => withoutEscapes(single ?? double ?? ''));
}

function withoutEscapes(text: string): string {
  return text.replaceAll(/\\(?:u([\da-f]{4})|U([\da-f]{8})|(.))/gi, (_, short, long, character) =>
    character === undefined ? codePoint(short ?? long) : character,
  );
}

function codePoint(hexadecimal: string): string {
  const code = Number.parseInt(hexadecimal, 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD';
}

async function findGsettings(): Promise<string | undefined> {
  for (const place of PLACES) {
    const file = `${place}/gsettings`;
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // The next place may have it.
    }
  }
  return undefined;
}
