import { describe, expect, it } from 'vitest';
import type { Route } from '../route/route.ts';
import { withoutPaths } from './private-paths.ts';

const direct: Route = { kind: 'direct', source: { kind: 'default', name: 'default' } };

describe('withoutPaths()', () => {
  it.each([
    [
      'no credentials (default cache: FILE:/tmp/krb5cc_1000)',
      'no credentials (default cache: FILE:[file])',
    ],
    ['Cannot read /home/alice/ca.pem: ENOENT', 'Cannot read [file]: ENOENT'],
    ['/home/alice/x', '[file]'],
    ['GSSAPI (MIT, /opt/krb5/lib/libgssapi.so.2)', 'GSSAPI (MIT, [file])'],
    ['--ca "/home/alice/ca.pem" --user alice', '--ca "[file]" --user alice'],
    ['--ca=/home/alice/ca.pem', '--ca=[file]'],
    ['C:\\Users\\Alice Smith\\config.json: proxy', '[file]: proxy'],
    ['see \\\\server\\share\\alice\\x.pem', 'see [file]'],
  ])('takes the path out of %j', (text, redacted) => {
    expect(withoutPaths(text, direct)).toBe(redacted);
  });

  it.each([
    'http://proxy.corp.example:3128 leads to example.com:443',
    'https://example.com/a/b',
    'HTTP/proxy.corp.example',
    'CORP\\alice',
    'Server: squid/5.7',
    '407, offers Negotiate/NTLM',
  ])('leaves %j alone', (text) => {
    expect(withoutPaths(text, direct)).toBe(text);
  });

  it('names the configuration file in its place, blanks in its path or not', () => {
    const route: Route = {
      kind: 'direct',
      source: { kind: 'configuration', name: '/home/Alice Smith/config.json: proxy' },
    };
    expect(
      withoutPaths({ title: ['named by /home/Alice Smith/config.json: proxy', 7] }, route),
    ).toEqual({ title: ['named by the configuration file: proxy', 7] });
  });
});
