// The tarball for a machine that reaches no registry, as `npm run build:offline` makes it: installed by npm, and used, in a network
// namespace that has loopback alone.
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const hasNamespaces =
  process.platform === 'linux' && spawnSync('unshare', ['-n', 'ip', 'link']).status === 0;
const execute = promisify(execFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const TARBALL = resolve(`build/offline/sallyport-${version}-offline.tgz`);
const DEADLINE_MS = 300_000;

/** In the namespace: the shell has one proxy, the command asks it as alice. */
const USE = `
  import { execFile } from 'node:child_process';
  import { promisify } from 'node:util';
  import { createCorporateProxy, createOrigin } from 'sallyport/testing';
  const run = promisify(execFile);
  const user = { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' };
  const proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [user] });
  const origin = await createOrigin();
  const env = { ...process.env, SALLYPORT_PROXY: proxy.url, SALLYPORT_USER: 'CORP\\\\alice', SALLYPORT_PASSWORD: user.password };
  const say = async (...args) => (await run('sallyport', args, { env })).stdout;
  const version = await say('--version');
  const which = await say('which', origin.url);
  const page = await say('get', origin.url + '/bytes/1000');
  const legs = proxy.counts().finalLegs;
  await Promise.all([proxy.close(), origin.close()]);
  console.log(JSON.stringify({ version, isNamed: which.includes(proxy.url), bytes: page.length, legs }));
`;

describe.skipIf(!hasNamespaces)('npm run build:offline (wants unshare -n)', () => {
  const place = mkdtempSync(join(tmpdir(), 'sallyport-offline-'));
  const prefix = join(place, 'prefix');
  const env = {
    PATH: `${join(prefix, 'bin')}:${process.env['PATH']}`,
    HOME: place,
    SALLYPORT_STATE_DIR: join(place, 'state'),
    npm_config_prefix: prefix,
    npm_config_cache: join(place, 'cache'),
    npm_config_userconfig: '/dev/null',
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };

  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it(
    'makes a tarball that is installed and used without any network',
    async () => {
      await execute('npx', ['tsc', '-p', 'tsconfig.scripts.json']);
      const { stdout: made } = await execute('node', ['build/scripts/offline/main.js']);
      const { size } = statSync(TARBALL);
      expect(made).toContain(`sallyport-${version}-offline.tgz: ${(size / 1e6).toFixed(1)} MB, `);
      expect(size).toBeLessThanOrEqual(25e6);
      mkdirSync(join(prefix, 'lib'), { recursive: true });
      writeFileSync(join(prefix, 'lib', 'use.mjs'), USE);
      const script = 'ip link set lo up && npm i -g --silent "$0" && exec node "$1"';
      const words = ['-n', 'sh', '-c', script, TARBALL, join(prefix, 'lib', 'use.mjs')];
      const { stdout, stderr } = await execute('unshare', words, { env, cwd: place });
      expect(stderr).toBe('');
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
        version: `${version}\n`,
        isNamed: true,
        bytes: 1000,
        legs: { 'CORP\\alice': 1 },
      });
    },
    DEADLINE_MS,
  );
});
