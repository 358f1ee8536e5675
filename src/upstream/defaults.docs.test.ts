// Holds docs/defaults.md against the settings as they are resolved and the constants as they stand in the source.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pathOf, read, tableRows } from '../../test/docs/markdown.ts';
import { VERSION } from '../observe/version.ts';
import { parseProxyUrl } from '../route/proxy-url.ts';
import { findDefaultConfigPath } from '../settings/config-path.ts';
import { findStatePlace } from '../settings/state-path.ts';
import { resolveSettings } from './settings.ts';
import { wireRequest } from './wire-request.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1000,
  min: 60_000,
  KiB: 1024,
  MiB: 1_048_576,
};
const limits = tableRows('docs/defaults.md', ['what', 'value', 'constant', 'why', 'others']);
const settings = new Map(
  tableRows('docs/defaults.md', ['setting', 'default', 'why', 'others']).map((row) => [
    row[0],
    row[1],
  ]),
);

/** Folders, and how the constants in them look that stand in the table. */
const ANY = /^(?:export )?const ([A-Z_]+) = [\d_ *]+;$/gm;
const LARGEST = /^(?:export )?const (MAX_[A-Z_]+) = [\d_ *]+;$/gm;
const LIMITED: [string, RegExp][] = [
  ['src/upstream', ANY],
  ['src/server', ANY],
  ...[
    'http1',
    'ntlm',
    'spnego',
    'digest',
    'native',
    'settings',
    'settings/system',
    'route',
    'auth',
  ].map((folder): [string, RegExp] => [`src/${folder}`, LARGEST]),
];

/** `10 s` -> 10000; `64 KiB` -> 65536 */
function parseValue(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)(?: (\w+))?$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}

/** The product a constant is written as: `10 * 60_000`. */
function findConstant(file: string, name: string): number | undefined {
  const text = new RegExp(`^(?:export )?const ${name} = ([\\d_ *]+);$`, 'm').exec(read(file))?.[1];
  return text
    ?.replaceAll('_', '')
    .split('*')
    .reduce((product, factor) => product * Number(factor), 1);
}

describe('docs/defaults.md', () => {
  it.each(limits)('%s: %s is what the code has (%s)', (_what, value = '', constant = '') => {
    const [, name = '', file = ''] = /^`(\w+)` in `([\w/.-]+)`$/.exec(constant) ?? [];
    expect(findConstant(file, name)).toBe(parseValue(value));
  });

  it.each(LIMITED)('has every limit of %s', (folder, pattern) => {
    const files = readdirSync(pathOf(folder)).filter((name) => /^(?!.*\.test\.).*\.ts$/.test(name));
    const known = files.flatMap((name) => {
      const source = read(`${folder}/${name}`);
      return [...source.matchAll(pattern)].map(
        ([, limit]) => `\`${limit}\` in \`${folder}/${name}\``,
      );
    });
    const told = limits.map(([, , constant = '']) => constant);
    expect(known.length).toBeGreaterThan(0);
    expect(known.filter((constant) => !told.includes(constant))).toEqual([]);
  });

  it('tells the settings nobody changed', async () => {
    const real = await resolveSettings({ env: {} });
    expect(settings.get('allowed schemes')).toBe(real.allow.join(','));
    expect(settings.get('Basic over `http://` proxies')).toBe(real.allowBasicHttp ? 'yes' : 'no');
    expect(settings.get('form of Negotiate')).toBe(real.negotiateForm);
  });

  it('tells the ports of a proxy URL without one', () => {
    for (const scheme of ['http', 'https']) {
      const { port } = parseProxyUrl(`${scheme}://proxy.example`, 'test');
      expect(settings.get(`proxy port, \`${scheme}://\``)).toBe(String(port));
    }
  });

  it('tells the User-Agent', () => {
    const { headers } = wireRequest(new URL('http://origin.example/'), {}, false);
    const sent = headers.find(([name]) => name === 'User-Agent')?.[1];
    expect(sent?.replace(VERSION, 'VERSION')).toBe(settings.get('User-Agent'));
  });

  it('tells the places of the configuration file', () => {
    const places = tableRows('docs/defaults.md', ['platform', 'place']).map(([, place]) => place);
    const linux = (env: NodeJS.ProcessEnv) => findDefaultConfigPath(env, 'linux');
    expect(places).toEqual([
      `\`${linux({ XDG_CONFIG_HOME: '/x' })}\`, else \`${linux({ HOME: '/~' })}\``
        .replace('/x/', '$XDG_CONFIG_HOME/')
        .replace('/~/', '~/'),
      findDefaultConfigPath({ HOME: '/~' }, 'darwin')?.replace('/~/', '~/'),
      findDefaultConfigPath({ APPDATA: '%APPDATA%' }, 'win32'),
    ]);
  });

  it('tells the places of what is remembered', () => {
    const places = tableRows('docs/defaults.md', ['platform', 'folder']).map(([, place]) => place);
    const linux = (env: NodeJS.ProcessEnv) => findStatePlace(env, 'linux')?.folder;
    expect(places).toEqual([
      `\`${linux({ XDG_STATE_HOME: '/x' })}\`, else \`${linux({ HOME: '/~' })}\``
        .replace('/x/', '$XDG_STATE_HOME/')
        .replace('/~/', '~/'),
      findStatePlace({ HOME: '/~' }, 'darwin')?.folder.replace('/~/', '~/'),
      findStatePlace({ LOCALAPPDATA: '%LOCALAPPDATA%' }, 'win32')?.folder,
    ]);
  });
});
