import { describe, expect, it } from 'vitest';
import { parseGnomeProxy, readGnomeProxy } from './gnome.ts';

const SCHEMA = 'org.gnome.system.proxy';
const output = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([key, value]) => {
      const [child, name] = key.includes('.') ? key.split('.') : ['', key];
      return `${SCHEMA}${child === '' ? '' : `.${child}`} ${name} ${value}\n`;
    })
    .join('');

const MANUAL = {
  'http.host': "'proxy.corp.example'",
  'http.port': '3128',
  'https.host': "''",
  'https.port': '0',
  'socks.host': "''",
  'ignore-hosts': "['localhost', '127.0.0.0/8', '::1']",
  mode: "'manual'",
};

describe('parseGnomeProxy()', () => {
  it('reads a manual proxy, which stands in for the one for https', () => {
    expect(parseGnomeProxy(output(MANUAL))).toEqual({
      name: 'GNOME settings',
      httpProxy: 'proxy.corp.example:3128',
      httpsProxy: 'proxy.corp.example:3128',
      bypass: ['localhost', '127.0.0.0/8', '::1'],
      bypassDialect: 'domains',
    });
  });

  it('reads a proxy of its own for https, and an address in brackets', () => {
    const text = output({ ...MANUAL, 'https.host': "'fd00::1'", 'https.port': '8443' });
    expect(parseGnomeProxy(text)?.httpsProxy).toBe('[fd00::1]:8443');
  });

  it('reads mode auto with and without a PAC file', () => {
    const pac = output({ mode: "'auto'", 'autoconfig-url': "'http://wpad/it\\'s.pac'" });
    expect(parseGnomeProxy(pac)?.pacUrl).toBe("http://wpad/it's.pac");
    const auto = output({ mode: "'auto'", 'autoconfig-url': "''", 'ignore-hosts': '@as []' });
    expect(parseGnomeProxy(auto)).toMatchObject({ autoDetect: true, bypass: [] });
  });

  it('reads the escapes of GVariant', () => {
    const text = output({ ...MANUAL, 'ignore-hosts': `["it's", 'a\\u00e9', 'b\\\\']` });
    expect(parseGnomeProxy(text)?.bypass).toEqual(["it's", 'a\u00e9', 'b\\']);
  });

  it('gives up a string without its end in no time', { timeout: 500 }, () => {
    const text = output({ ...MANUAL, 'ignore-hosts': `['a', '${"\\'".repeat(50_000)}` });
    expect(parseGnomeProxy(text)?.bypass).toEqual(['a']);
  });

  it('tells a SOCKS proxy that stands alone', () => {
    const text = output({ ...MANUAL, 'http.host': "''", 'socks.host': "'socks'" });
    expect(parseGnomeProxy(text)?.problem).toContain('SOCKS');
  });

  it.each(['', 'nonsense', output({ ...MANUAL, mode: "'none'" })])('is null for %j', (text) => {
    expect(parseGnomeProxy(text)).toBeNull();
  });
});

describe('readGnomeProxy()', () => {
  it('starts nothing where there is no desktop', async () => {
    const run = () => Promise.reject(new Error('started'));
    expect(await readGnomeProxy({ HOME: '/root' }, run, 1)).toBeNull();
  });
});
