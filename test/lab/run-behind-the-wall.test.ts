// Installing Python, and more, where squid is the only way out: other people's programs through `sallyport run`, from an empty
// home, with NTLM by name and password, then with Kerberos by a ticket. The recipe (docs/recipes/python.md) has the same commands.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIN } from '../embedded/command.ts';
import { SCRATCH } from '../embedded/network.ts';
import {
  fillAptRepository,
  fillChannel,
  fillIndex,
  fillRegistry,
  fillRepository,
} from '../embedded/package-sources.ts';
import type { PrivateWeb } from '../embedded/private-web.ts';
import { createPrivateWeb } from '../embedded/private-web.ts';
import { proxyLog } from './access-log.ts';
import { ensureLab, LAB } from './lab.ts';
import type { Outcome, Wall } from './wall.ts';
import { buildWall } from './wall.ts';

const lab = await ensureLab();
const PATIENCE = 100_000;
const TEXT = 'hello from behind the wall\n';
const HOST = 'origin.corp.example';
const TICKETS = join(SCRATCH, 'tickets');

const starts = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
const hasNamespaces = lab.available && starts('ip', 'netns', 'list');

const CONDA = `
import os, sys, requests
from conda_package_streaming import package_streaming
session, channel = requests.Session(), sys.argv[1]
repodata = session.get(channel + '/noarch/repodata.json', timeout=60)
repodata.raise_for_status()
for name in repodata.json()['packages']:
  answer = session.get(channel + '/noarch/' + name, stream=True, timeout=60)
  answer.raise_for_status()
  for archive, member in package_streaming.stream_conda_component(name, answer.raw, 'pkg'):
    print(member.name)
`;
const RATTLER = `
import asyncio, sys, rattler
from rattler.networking import Client
print(asyncio.run(rattler.fetch_repo_data(channels=[rattler.Channel(sys.argv[1])], platforms=[rattler.Platform('noarch')],
  cache_path='cache', callback=None, client=Client()))[0].to_repo_data())
`;
const FETCH = `public class Fetch {
  public static void main(String[] args) throws Exception {
    var connection = (javax.net.ssl.HttpsURLConnection) new java.net.URL(args[0]).openConnection();
    System.out.write(connection.getInputStream().readAllBytes());
    System.out.flush();
  }
}
`;

interface Client {
  readonly name: string;
  /** Whether it is on this machine. */
  readonly isHere: boolean;
  /** A line of sh; `url` is the web server of the company. */
  readonly line: (url: string) => string;
  /** What it leaves on standard output, or the file that it leaves. */
  readonly prints?: string;
  readonly leaves?: readonly [file: string, text: string];
}

/** The table: each goes through both proxies. */
const CLIENTS: readonly Client[] = [
  {
    name: 'curl',
    isHere: starts('curl', '--version'),
    line: (url) => `curl -sS ${url}/small.txt`,
    prints: TEXT,
  },
  {
    name: 'wget',
    isHere: starts('wget', '--version'),
    line: (url) => `wget -q --ca-certificate="$SSL_CERT_FILE" -O - ${url}/small.txt`,
    prints: TEXT,
  },
  {
    name: 'git',
    isHere: starts('git', '--version'),
    line: (url) => `git clone -q ${url}/project.git copy`,
    leaves: ['copy/small.txt', TEXT],
  },
  {
    name: 'npm',
    isHere: starts('npm', '--version'),
    line: (url) =>
      `npm install --registry ${url}/npm/ --no-audit --no-fund --no-update-notifier --globalconfig /dev/null tiny-thing`,
    leaves: ['node_modules/tiny-thing/index.js', "module.exports = 'tiny';\n"],
  },
  {
    name: 'yarn',
    isHere: starts('yarn', '--version'),
    line: (url) => `yarn add --registry ${url}/npm/ --no-lockfile --non-interactive tiny-thing`,
    leaves: ['node_modules/tiny-thing/index.js', "module.exports = 'tiny';\n"],
  },
  {
    name: 'pip, in a venv',
    isHere: starts('/usr/bin/python3', '-c', 'import venv, ensurepip'),
    line: (url) =>
      `/usr/bin/python3 -m venv env && env/bin/pip install -q --disable-pip-version-check -i ${url}/simple/ tiny-thing && env/bin/python -c 'import tiny_thing; print(tiny_thing.TINY)'`,
    prints: '1\n',
  },
  {
    name: 'what conda fetches with (requests, conda_package_streaming)',
    isHere: starts('/usr/bin/python3', '-c', 'import requests, conda_package_streaming'),
    line: (url) => `/usr/bin/python3 -c "$CONDA" ${url}/channel`,
    prints: 'tiny.txt\n',
  },
  {
    name: 'conda',
    isHere: starts('conda', '--version'),
    line: (url) => `conda create -q -y -p here --override-channels -c ${url}/channel tiny-thing`,
    leaves: ['here/tiny.txt', 'tiny\n'],
  },
  {
    name: 'py-rattler',
    isHere: starts('python3', '-c', 'import rattler'),
    line: (url) => `python3 -c "$RATTLER" ${url}/channel | grep -o tiny-thing | head -1`,
    prints: 'tiny-thing\n',
  },
  {
    name: 'fetch() of Node',
    // In Node 20 it reads no variable.
    isHere: starts('node', '--use-env-proxy', '-e', '0'),
    line: (url) =>
      `node -e "fetch('${url}/small.txt').then((r) => r.text()).then((t) => process.stdout.write(t))"`,
    prints: TEXT,
  },
  {
    name: 'Java',
    isHere: starts('java', '--version') && starts('keytool', '-help'),
    line: (url) =>
      `keytool -importcert -noprompt -alias company -file ${LAB.ca} -keystore trust -storepass changeit 2>&- && java -Djavax.net.ssl.trustStore=trust Fetch.java ${url}/small.txt`,
    prints: TEXT,
  },
  {
    name: 'apt, as _apt',
    isHere: starts('apt-get', '--version') && starts('id', '_apt'),
    line: (url) =>
      `echo "deb [trusted=yes] ${url}/apt ./" > sources && chmod 755 . && mkdir -p lists/partial cache/archives/partial && chown _apt lists/partial && A="-qq -o Dir::Etc::SourceList=$PWD/sources -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache -o Acquire::https::CAInfo=$SSL_CERT_FILE" && apt-get $A update && apt-get $A download tiny-thing && dpkg-deb -f tiny-thing_1.0_all.deb Version`,
    prints: '1.0\n',
  },
];

const UPSTREAMS = [
  {
    name: 'NTLM',
    proxy: 'ntlm',
    user: LAB.users.alice.typed,
    options: ['--user', LAB.users.alice.typed],
    env: { SALLYPORT_PASSWORD: LAB.users.alice.password },
  },
  {
    name: 'Kerberos',
    proxy: 'kerberos',
    user: 'alice@CORP.EXAMPLE',
    options: [],
    // No KDC is behind the wall: the ticket for the proxy is there already.
    env: { KRB5_CONFIG: LAB.environment.KRB5_CONFIG, KRB5CCNAME: `FILE:${TICKETS}` },
  },
] as const;

let wall: Wall;
let web: PrivateWeb;
let url: string;

describe.skipIf(!hasNamespaces)('behind a wall (wants root and ip netns)', () => {
  beforeAll(async () => {
    const folder = mkdtempSync(join(SCRATCH, 'wall-web-'));
    const pem = (name: string) => readFileSync(join(LAB.directory, 'pki', name), 'utf8');
    const address = execFileSync('getent', ['ahostsv4', HOST]).toString().split(' ')[0];
    web = await createPrivateWeb(
      folder,
      { key: pem('server.key'), cert: pem('server.crt') },
      address,
    );
    url = `https://${HOST}:${new URL(web.url).port}`;
    writeFileSync(join(folder, 'small.txt'), TEXT);
    fillRegistry(join(folder, 'npm'), `${url}/npm`);
    fillIndex(join(folder, 'simple', 'tiny-thing'));
    fillChannel(join(folder, 'channel'));
    fillRepository(join(folder, 'project.git'), TEXT);
    fillAptRepository(join(folder, 'apt'));
    cpSync(LAB.environment.KRB5CCNAME.replace('FILE:', ''), TICKETS);
    const kerberos = { ...process.env, ...LAB.environment, KRB5CCNAME: `FILE:${TICKETS}` };
    execFileSync('kvno', ['-q', `HTTP/${LAB.proxies.kerberos.host}`], { env: kerberos });
    wall = await buildWall([LAB.proxies.ntlm, LAB.proxies.kerberos]);
  }, PATIENCE);

  afterAll(async () => {
    await wall[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
  });

  /** In a folder that is the home, too, and has nothing in it. */
  function behind(words: readonly string[], env: Readonly<Record<string, string>>) {
    const folder = mkdtempSync(join(SCRATCH, 'home-'));
    writeFileSync(join(folder, 'Fetch.java'), FETCH);
    const own = { HOME: folder, SALLYPORT_STATE_DIR: join(folder, 'state'), CONDA, RATTLER };
    const ran = wall.run(words, {
      cwd: folder,
      env: { ...own, ...env },
      timeoutMs: PATIENCE * 0.8,
    });
    return ran.then((outcome: Outcome) => ({ ...outcome, folder }));
  }

  it('nothing gets out directly, and squid lets nobody through unasked', async () => {
    const direct = await behind(['curl', '-sS', '--cacert', LAB.ca, `${url}/small.txt`], {});
    expect(direct).toMatchObject({ code: 6, stdout: '' });
    const port = new URL(url).port;
    const numbers = `${web.host.split(':')[0]}:${port}`;
    const routed = await behind(['curl', '-sSk', '-m', '10', `https://${numbers}/small.txt`], {});
    expect([7, 28]).toContain(routed.code);
    for (const { proxy } of UPSTREAMS) {
      const env = { https_proxy: LAB.proxies[proxy].url };
      const refused = await behind(['curl', '-sS', '--cacert', LAB.ca, `${url}/small.txt`], env);
      expect(refused).toMatchObject({ code: 56, stdout: '' });
      expect(refused.stderr).toContain('407');
    }
  });

  describe.each(UPSTREAMS)('squid with $name', ({ proxy, options, env, user }) => {
    const upstream = LAB.proxies[proxy].url;

    for (const { name, isHere, line, prints, leaves } of CLIENTS) {
      it.skipIf(!isHere)(
        name,
        async () => {
          const script = line(url);
          const mark = await proxyLog(proxy).mark();
          const words = [process.execPath, MAIN, 'run', '--proxy', upstream, ...options];
          const result = await behind([...words, '--ca', LAB.ca, '--', 'sh', '-c', script], env);
          expect(result).toMatchObject({
            code: 0,
            ...(prints === undefined ? {} : { stdout: prints }),
          });
          if (leaves !== undefined) {
            expect(readFileSync(join(result.folder, leaves[0]), 'utf8')).toBe(leaves[1]);
          }
          const through = (await mark.entries()).filter(
            (entry) => entry.url === new URL(url).host && entry.status === 200,
          );
          expect(new Set(through.map((entry) => entry.user))).toEqual(new Set([user]));
        },
        PATIENCE,
      );
    }
  });
});
