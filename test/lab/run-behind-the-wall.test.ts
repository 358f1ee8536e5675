// Installing Python, and more, where squid is the only way out: other people's programs through `sallyport run`, from an empty
// home, with NTLM by name and password, then with Kerberos by a ticket. The recipe (docs/recipes/python.md) has the same commands.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
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
import { createPrivateWeb, serveFolder } from '../embedded/private-web.ts';
import { proxyLog } from './access-log.ts';
import { ensureLab, LAB } from './lab.ts';
import type { Outcome, Wall } from './wall.ts';
import { buildWall } from './wall.ts';

const lab = await ensureLab();
const PATIENCE = 100_000;
const IDLE_PATIENCE = 180_000;
const TEXT = 'hello from behind the wall\n';
const HOST = 'origin.corp.example';
const RECIPE = readFileSync(new URL('../../docs/recipes/python.md', import.meta.url), 'utf8');
/** Unpacked by the lab's set-up (parts/clients.sh). */
const YARN = join(LAB.directory, 'clients/yarn/bin/yarn.js');
const NODE_22 = join(LAB.directory, 'clients/node22/bin/node');
const TICKETS = join(SCRATCH, 'tickets');

const starts = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
const hasNamespaces =
  lab.available && starts('sh', '-c', 'ip netns add sallyport-$$ && ip netns del sallyport-$$');

const CONDA = `
import io, sys, requests
from conda_package_streaming import package_streaming
session, channel = requests.Session(), sys.argv[1]
repodata = session.get(channel + '/noarch/repodata.json', timeout=60)
repodata.raise_for_status()
for name in [*repodata.json()['packages'], *repodata.json()['packages.conda']]:
  answer = session.get(channel + '/noarch/' + name, stream=True, timeout=60)
  answer.raise_for_status()
  whole = answer.raw if name.endswith('.bz2') else io.BytesIO(answer.content)
  for archive, member in package_streaming.stream_conda_component(name, whole, 'pkg'):
    if member.isfile(): print(member.name)
`;
const RATTLER = `
import asyncio, sys, rattler
from rattler.networking import Client
print(asyncio.run(rattler.fetch_repo_data(channels=[rattler.Channel(sys.argv[1])], platforms=[rattler.Platform('noarch')],
  cache_path='cache', callback=None, client=Client()))[0].to_repo_data())
`;
/** Says `first` at once and `second` after a minute of nothing; prints what comes back. */
const WEBSOCKET = `
const { connect } = require('node:net');
const target = process.argv[1];
const proxy = new URL(process.env.HTTPS_PROXY);
const token = btoa(decodeURIComponent(proxy.username) + ':' + decodeURIComponent(proxy.password));
const socket = connect({ host: proxy.hostname, port: Number(proxy.port) });
socket.write('CONNECT ' + target + ' HTTP/1.1\\r\\nHost: ' + target + '\\r\\nProxy-Authorization: Basic ' + token + '\\r\\n\\r\\n');
socket.once('data', (head) => {
  if (!/^HTTP\\/1.1 200 /.test(head)) throw new Error(String(head));
  const secure = require('node:tls').connect({ socket, servername: target.split(':')[0] });
  secure.write('GET / HTTP/1.1\\r\\nHost: ' + target + '\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n\\r\\n');
  let text = '';
  secure.on('data', (bytes) => {
    text += bytes;
    if (text.endsWith('\\r\\n\\r\\n')) secure.write('first ');
    if (text.endsWith('first ')) setTimeout(() => secure.write('second'), 60000);
    if (text.endsWith('second')) { console.log(text.split('\\r\\n\\r\\n')[1]); process.exit(); }
  });
  secure.on('close', () => process.exit(9));
});
`;
const FETCH = `public class Fetch {
  public static void main(String[] args) throws Exception {
    var connection = (javax.net.ssl.HttpsURLConnection) new java.net.URL(args[0]).openConnection();
    System.out.write(connection.getInputStream().readAllBytes());
    System.out.flush();
  }
}
`;

/** As root, whose programs would need no token: those of _apt are the ones in question. */
const APT_BY_SERVE = `set -e
umask 022
cd "$OPEN"
"$@" & serve=$!
trap 'kill $serve; wait $serve' EXIT
tries=0
until curl -s --noproxy '' -o healthy http://127.0.0.1:3128/healthz; do
  tries=$((tries + 1)); [ $tries -lt 400 ]; kill -0 $serve; sleep 0.1
done
echo "deb [trusted=yes] $FROM/ ./" > sources
mkdir -p lists/partial cache/archives/partial
chown _apt . lists/partial cache/archives/partial
apt() { apt-get -qq -o Dir::Etc::SourceList="$OPEN/sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$OPEN/lists" \\
  -o Dir::Cache="$OPEN/cache" -o APT::Sandbox::User=_apt -o Acquire::Retries=0 -o Acquire::http::Proxy=http://127.0.0.1:3128 "$@" 2>&1; }
apt update
apt download tiny-thing
stat -c %U lists/partial
dpkg-deb -f tiny-thing_1.0_all.deb Version`;

interface Client {
  readonly name: string;
  /** Whether it is on this machine. */
  readonly isHere: boolean;
  /** A line of sh; `from` is the web server of the company. */
  readonly line: (from: string) => string;
  /** A block of the recipe, in which `sallyport` is a command, and not a program for `run`. */
  readonly isRecipe?: boolean;
  /** What Python's users, and their neighbours, install with: by the portable folder, too. */
  readonly isInstaller?: boolean;
  /** More options of `run`. */
  readonly options?: readonly string[];
  /** What it leaves on standard output, or the file that it leaves. */
  readonly prints?: unknown;
  /** What it says; apt warns when it cannot be `_apt`. */
  readonly stderr?: string;
  readonly leaves?: readonly [file: string, text: string];
}

/** The table: each goes through both proxies. */
const CLIENTS: readonly Client[] = [
  {
    name: 'curl',
    isHere: starts('curl', '--version'),
    line: (from) => `curl -sS ${from}/small.txt`,
    prints: TEXT,
  },
  {
    name: 'wget',
    isHere: starts('wget', '--version'),
    line: (from) => `wget -nv --ca-certificate="$SSL_CERT_FILE" -O - ${from}/small.txt`,
    prints: TEXT,
  },
  {
    name: 'git',
    isInstaller: true,
    isHere: starts('git', '--version'),
    line: (from) => `git clone -q ${from}/project.git copy`,
    leaves: ['copy/small.txt', TEXT],
  },
  {
    name: 'npm',
    isInstaller: true,
    isHere: starts('npm', '--version'),
    line: (from) =>
      `npm install --registry ${from}/npm/ --no-audit --no-fund --no-update-notifier --globalconfig /dev/null tiny-thing`,
    leaves: ['node_modules/tiny-thing/index.js', "module.exports = 'tiny';\n"],
  },
  {
    name: 'yarn',
    // What an npmrc of the administrator names (cafile) would be all it trusts; it has no --globalconfig. root's cache would outlive the test.
    isHere: starts('node', YARN, '--version'),
    isInstaller: true,
    line: (from) =>
      `npm_config_cafile="$NODE_EXTRA_CA_CERTS" node ${YARN} add --registry ${from}/npm/ --no-lockfile --non-interactive --cache-folder cache tiny-thing`,
    leaves: ['node_modules/tiny-thing/index.js', "module.exports = 'tiny';\n"],
  },
  {
    name: 'pip, in a venv',
    isInstaller: true,
    isHere: starts('/usr/bin/python3', '-c', 'import venv, ensurepip'),
    line: (from) =>
      `${recipe('-m venv', from)}\nenv/bin/python -c 'import tiny_thing; print(tiny_thing.TINY)'`,
    isRecipe: true,
    prints: expect.stringMatching(/\n1\n$/),
  },
  {
    name: 'what conda fetches with (requests, conda_package_streaming)',
    isInstaller: true,
    isHere: starts('/usr/bin/python3', '-c', 'import requests, conda_package_streaming'),
    line: (from) => `/usr/bin/python3 -c "$CONDA" ${from}/channel`,
    // All of the old format, the payload of the new one.
    prints: 'info/index.json\ntiny.txt\ntiny.txt\n',
  },
  {
    name: 'conda',
    isInstaller: true,
    isHere: starts('conda', '--version'),
    line: (from) => recipe('conda create', from),
    isRecipe: true,
    leaves: ['.conda/envs/work/tiny.txt', 'tiny\n'],
  },
  {
    name: 'py-rattler',
    isInstaller: true,
    isHere: starts('python3', '-c', 'import rattler'),
    line: (from) => `python3 -c "$RATTLER" ${from}/channel | grep -o tiny-thing | head -1`,
    prints: 'tiny-thing\n',
  },
  {
    name: 'fetch() of Node',
    // In Node 20 it reads no variable.
    isHere: starts(NODE_22, '--use-env-proxy', '-e', '0'),
    line: (from) =>
      `${NODE_22} -e "fetch('${from}/small.txt').then((r) => r.text()).then((t) => process.stdout.write(t))"`,
    prints: TEXT,
  },
  {
    name: 'Java',
    // The shell in front of it hides it from `run`.
    options: ['--java'],
    isHere: starts('java', '--version') && starts('keytool', '-help'),
    line: (from) =>
      `keytool -importcert -noprompt -alias company -file ${LAB.ca} -keystore trust -storepass changeit 2>&- && java -Djavax.net.ssl.trustStore=trust -Djavax.net.ssl.trustStorePassword=changeit Fetch.java ${from}/small.txt`,
    prints: TEXT,
  },
  {
    name: 'apt, as _apt',
    isHere: starts('apt-get', '--version') && starts('id', '_apt'),
    line: (from) => `set -e
umask 022
echo "deb [trusted=yes] ${from}/apt ./" > "$OPEN/sources"
# The cache of the bundle is closed to other users, and _apt is one.
cp "$SSL_CERT_FILE" "$OPEN/ca.pem"
chmod 644 "$OPEN/ca.pem"
mkdir -p "$OPEN/lists/partial" "$OPEN/cache/archives/partial"
chown _apt "$OPEN" "$OPEN/lists/partial" "$OPEN/cache/archives/partial"
cd "$OPEN"
apt() { apt-get -qq -o Dir::Etc::SourceList="$OPEN/sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$OPEN/lists" \\
  -o Dir::Cache="$OPEN/cache" -o APT::Sandbox::User=_apt -o Acquire::Retries=0 -o Acquire::https::CAInfo="$OPEN/ca.pem" "$@"; }
apt update
apt download tiny-thing
stat -c %U lists/partial
dpkg-deb -f tiny-thing_1.0_all.deb Version`,
    prints: '_apt\n1.0\n',
    stderr: '',
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

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const PORTABLE = resolve(`build/portable/sallyport-${version}-linux-x64/sallyport`);
if (hasNamespaces) {
  buildPortable();
}

/** What somebody may have been given. */
const PROGRAMS = [
  { program: 'npm package', words: [process.execPath, MAIN], clients: CLIENTS },
  {
    program: 'portable folder',
    words: [PORTABLE],
    clients: CLIENTS.filter(({ isInstaller }) => isInstaller === true),
  },
];
const CASES = UPSTREAMS.flatMap((upstream) =>
  PROGRAMS.map((program) => ({ ...upstream, ...program })),
);

/** As `npm run build:portable` does, unless that was done behind the last build. */
function buildPortable(): void {
  const made = statSync(PORTABLE, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (made < statSync(MAIN).mtimeMs) {
    execFileSync('npx', ['tsc', '-p', 'tsconfig.scripts.json']);
    const only = ['--platform', 'linux-x64', '--no-archive'];
    execFileSync('node', ['build/scripts/portable/main.js', ...only]);
  }
}

/** Gives the blocks of the recipe a command of this name. */
const asACommand = (words: readonly string[]): string =>
  `set -e\nsallyport() { ${words.map((word) => `'${word}'`).join(' ')} "$@"; }\n`;
/** `sallyport run -- PROGRAM` is PROGRAM. */
const WITHOUT = 'set -e\nsallyport() { shift 2; "$@"; }\n';
/** Each would wait a while and try again. */
const AT_ONCE = { PIP_RETRIES: '0', npm_config_fetch_retries: '0' };
const OWN_AUTHORITY = Object.fromEntries(
  ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'GIT_SSL_CAINFO', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT'].map(
    (name) => [name, LAB.ca],
  ),
);
const NO_SUCH_NAME =
  /could not resolve|unable to resolve|failed to resolve|failure resolving|name resolution|not known|ENOTFOUND|EAI_AGAIN|UnknownHost|no matching distribution|network connection|dns error/i;

/** The block of the page that has `word`, with the tiny thing in place of Python's. */
function recipe(word: string, from: string): string {
  const blocks = [...RECIPE.matchAll(/^```bash\n([^`]*)^```$/gm)].map(([, block = '']) => block);
  const found = blocks.find((block) => block.includes(word));
  if (found === undefined) {
    throw new Error(`docs/recipes/python.md has no ${word}`);
  }
  return found
    .replaceAll('https://packages.example.com', from)
    .replaceAll(/ (requests|python)$/gm, ' tiny-thing')
    .replaceAll('import requests', 'import tiny_thing')
    .replaceAll(/^python3 /gm, '/usr/bin/python3 ');
}

/** A folder that other users get at, as apt needs it. */
function openFolder(): string {
  const folder = mkdtempSync('/tmp/sallyport-open-');
  OPEN_FOLDERS.push(folder);
  chmodSync(folder, 0o755);
  return folder;
}
const OPEN_FOLDERS: string[] = [];

let wall: Wall;
let web: PrivateWeb;
let url: string;
let plain: Server;
let plainUrl: string;

const idle: Record<string, Promise<Outcome>> = {};

// In this order: the minute of nothing passes while the others work.
const IN_ORDER = { shuffle: false };
describe.skipIf(!hasNamespaces)('behind a wall (wants root and ip netns)', IN_ORDER, () => {
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
    plain = createServer(serveFolder(join(folder, 'apt'))).listen(0, address);
    await once(plain, 'listening');
    plainUrl = `http://${HOST}:${(plain.address() as AddressInfo).port}`;
    cpSync(LAB.environment.KRB5CCNAME.replace('FILE:', ''), TICKETS);
    const kerberos = { ...process.env, ...LAB.environment, KRB5CCNAME: `FILE:${TICKETS}` };
    execFileSync('kvno', ['-q', `HTTP/${LAB.proxies.kerberos.host}`], { env: kerberos });
    wall = await buildWall([LAB.proxies.ntlm, LAB.proxies.kerberos]);
    // They start here and last a minute, beside all the others.
    for (const { name, proxy, options, env } of UPSTREAMS) {
      const run = [process.execPath, MAIN, 'run', '--proxy', LAB.proxies[proxy].url, ...options];
      const program = [process.execPath, '-e', WEBSOCKET, new URL(url).host];
      idle[name] = behind([...run, '--ca', LAB.ca, '--', ...program], env);
    }
  }, PATIENCE);

  afterAll(async () => {
    await wall[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
    plain.close();
    plain.closeAllConnections();
    for (const folder of OPEN_FOLDERS) {
      rmSync(folder, { recursive: true });
    }
  });

  /** In a folder that is the home, too, and has nothing in it. */
  function behind(words: readonly string[], env: Readonly<Record<string, string>>) {
    const folder = mkdtempSync(join(SCRATCH, 'home-'));
    writeFileSync(join(folder, 'Fetch.java'), FETCH);
    const own = {
      HOME: folder,
      OPEN: openFolder(),
      SALLYPORT_STATE_DIR: join(folder, 'state'),
      CONDA,
      RATTLER,
    };
    const ran = wall.run(words, {
      cwd: folder,
      env: { ...own, ...env },
      timeoutMs: IDLE_PATIENCE * 0.9,
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

  it.each(CLIENTS.filter(({ isHere }) => isHere))(
    'without sallyport nothing is there: $name',
    async ({ line, prints, leaves }) => {
      const script = `${WITHOUT}${line(url)}`;
      const result = await behind(['sh', '-c', script], { ...OWN_AUTHORITY, ...AT_ONCE });
      expect(`${result.stderr}${result.stdout}`).toMatch(NO_SUCH_NAME);
      if (prints !== undefined) {
        expect(result.stdout).not.toEqual(prints);
      }
      if (leaves !== undefined) {
        expect(existsSync(join(result.folder, leaves[0]))).toBe(false);
      }
    },
    IDLE_PATIENCE,
  );

  describe.each(CASES)('squid with $name, $program', (given) => {
    const { proxy, options, env, user, words, clients } = given;
    const upstream = LAB.proxies[proxy].url;
    const said: Record<string, string> = { SALLYPORT_PROXY: upstream, SALLYPORT_CA: LAB.ca };
    if (options[1] !== undefined) {
      said['SALLYPORT_USER'] = options[1];
    }

    for (const {
      name,
      isHere,
      line,
      prints,
      stderr,
      leaves,
      isRecipe,
      options: more = [],
    } of clients) {
      it.skipIf(!isHere)(
        name,
        async () => {
          const script = line(url);
          const mark = await proxyLog(proxy).mark();
          const through = ['--proxy', upstream, ...options, ...more, '--ca', LAB.ca];
          const run = [...words, 'run', ...through, '--', 'sh', '-c', script];
          const result = isRecipe
            ? await behind(['sh', '-c', `${asACommand(words)}${script}`], { ...said, ...env })
            : await behind(run, env);
          expect(result).toMatchObject({
            code: 0,
            ...(prints === undefined ? {} : { stdout: prints }),
            ...(stderr === undefined ? {} : { stderr }),
          });
          if (leaves !== undefined) {
            expect(readFileSync(join(result.folder, leaves[0]), 'utf8')).toBe(leaves[1]);
          }
          const passed = (await mark.entries()).filter(
            (entry) => entry.url === new URL(url).host && entry.status === 200,
          );
          expect(new Set(passed.map((entry) => entry.user))).toEqual(new Set([user]));
        },
        IDLE_PATIENCE,
      );
    }
  });

  const hasApt = starts('apt-get', '--version') && starts('id', '_apt');
  it.skipIf(!hasApt).each(UPSTREAMS)(
    'apt as _apt, over http, through serve --allow-user _apt: squid with $name',
    async ({ proxy, options, env, user }) => {
      const mark = await proxyLog(proxy).mark();
      const serve = [process.execPath, MAIN, 'serve', '--proxy', LAB.proxies[proxy].url];
      const through = [...serve, ...options, '--listen', '3128'];
      const apt = (...more: string[]) =>
        behind(['sh', '-c', APT_BY_SERVE, 'sh', ...through, ...more], { FROM: plainUrl, ...env });
      expect(await apt('--allow-user', '_apt')).toMatchObject({ code: 0, stdout: '_apt\n1.0\n' });
      const passed = (await mark.entries()).filter(
        (entry) => entry.url.startsWith(`${plainUrl}/`) && entry.status === 200,
      );
      expect(new Set(passed.map((entry) => entry.user))).toEqual(new Set([user]));
      const refused = await apt('--same-user');
      expect(refused.code).not.toBe(0);
      expect(refused.stdout).toContain('407');
    },
    IDLE_PATIENCE,
  );

  it.each(UPSTREAMS)(
    'a WebSocket lives through a minute of nothing: squid with $name',
    async ({ name }) => {
      expect(await idle[name]).toMatchObject({ code: 0, stdout: 'first second\n' });
    },
    IDLE_PATIENCE,
  );
});
