// Which lines of other tools' files name a proxy, and who wins.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findForeignProxies } from './foreign-proxies.ts';

/** `[line, key, wins]` of each finding. */
async function found(command: string, files: Readonly<Record<string, string>>) {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-foreign-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const all = await findForeignProxies(command, { HOME: home }, join(home, 'project'));
  return all
    .filter(({ file }) => file.startsWith(home))
    .map(({ file, line, key, wins }) => [file.slice(home.length + 1), line, key, wins]);
}

describe('findForeignProxies()', () => {
  it.each<[string, string, string, [number, string, boolean][]]>([
    [
      'npm',
      '.npmrc',
      'a=1\nproxy=http://p:1\n; proxy=x\nhttps-proxy = "http://p:1"',
      [
        [2, 'proxy', false],
        [4, 'https-proxy', false],
      ],
    ],
    ['npx', 'project/.npmrc', 'https-proxy=null\nproxy=false\nnoproxy=a', []],
    [
      'yarn',
      '.yarnrc',
      'proxy "http://p:1"\nhttps-proxy "http://p:1"',
      [
        [1, 'proxy', true],
        [2, 'https-proxy', false],
      ],
    ],
    ['yarn', 'project/.yarnrc.yml', 'httpProxy: "http://p:1"\n', [[1, 'httpProxy', false]]],
    [
      'pip3.11',
      '.config/pip/pip.conf',
      '[global]\nproxy = http://p:1\n#proxy=x',
      [[2, 'proxy', false]],
    ],
    [
      'conda',
      '.condarc',
      'proxy_servers:\n  http: http://p:1\n  https: http://p:1\nchannels:\n  http: x',
      [
        [2, 'proxy_servers.http', true],
        [3, 'proxy_servers.https', true],
      ],
    ],
    [
      'git',
      '.gitconfig',
      '[http]\n\tproxy = http://p:1\n[core]\n\tproxy = x',
      [[2, 'http: proxy', false]],
    ],
    [
      'git',
      '.gitconfig',
      '[http "https://a.example/"]\nproxy=http://p:1',
      [[2, 'http "https://a.example/": proxy', true]],
    ],
    [
      '/usr/bin/git',
      'project/.git/config',
      '[http] proxy = http://p:1',
      [[1, 'http: proxy', false]],
    ],
    ['git', '.gitconfig', '[remote "o"]\n\tproxy =\n[http]\n\tproxy =', []],
    ['bash', '.npmrc', 'proxy=http://p:1', []],
    ['curl', '.condarc', 'proxy_servers:\n  http: x', []],
  ])('%s, %s: %j', async (command, file, text, wanted) => {
    expect(await found(command, { [file]: text })).toEqual(wanted.map((one) => [file, ...one]));
  });

  it('reads a file once where the home is the working directory', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-foreign-'));
    writeFileSync(join(home, '.npmrc'), 'proxy=http://p:1');
    expect(await findForeignProxies('npm', { HOME: home }, home)).toHaveLength(1);
  });
});
