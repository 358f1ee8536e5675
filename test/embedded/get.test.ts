// `sallyport get`: what arrives, where it lands, what is said and how it ends.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CorporateProxy, Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin, originBytes } from '../../src/testing/index.ts';
import { MAIN, sallyport } from './command.ts';
import { ALICE, AS_ALICE, CERTIFICATES, ownFolder, readAll, SCRATCH } from './network.ts';
import { createRawServer } from './raw-server.ts';

const SECRETS = [ALICE.password, 'Wrong-Secret9', 'Url-Secret7'];

let proxy: CorporateProxy;
let origin: Origin;
let secureOrigin: Origin;
let signOnOrigin: Origin;
let folder: string;

beforeAll(async () => {
  proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  origin = await createOrigin();
  signOnOrigin = await createOrigin({ users: [ALICE] });
  secureOrigin = await createOrigin({ tls: CERTIFICATES });
});

afterAll(async () => {
  await Promise.all([proxy.close(), origin.close(), secureOrigin.close(), signOnOrigin.close()]);
});

beforeEach(() => {
  folder = ownFolder('get');
});

const get = (args: readonly string[], options = {}) =>
  sallyport(['get', ...args], { env: AS_ALICE, ...options });

describe('sallyport get', () => {
  it('writes the body to standard output, and nothing else anywhere', async () => {
    const { code, stdout, stderr } = await get([
      '--proxy',
      proxy.url,
      `${secureOrigin.url}/bytes/100000`,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.equals(originBytes(100_000))).toBe(true);
  });

  it('writes a file by way of .part', async () => {
    const file = join(folder, 'out.bin');
    const { code, stdout } = await get([
      '--proxy',
      proxy.url,
      '-o',
      file,
      `${origin.url}/bytes/5000`,
    ]);
    expect([code, stdout.length]).toEqual([0, 0]);
    expect(readFileSync(file).equals(originBytes(5000))).toBe(true);
    expect(readdirSync(folder)).toEqual(['out.bin']);
  });

  it('keeps what has arrived when the body is cut, and an older file whole', async () => {
    const file = join(folder, 'out.bin');
    writeFileSync(file, 'older');
    const { code, stderr } = await get([
      '--proxy',
      proxy.url,
      '-o',
      file,
      `${secureOrigin.url}/truncated/1000`,
    ]);
    expect(code).toBe(8);
    expect(stderr).toContain('after 500 bytes');
    expect(readFileSync(file, 'utf8')).toBe('older');
    expect(readFileSync(`${file}.part`)).toHaveLength(500);
  });

  it('keeps an older .part when nothing arrives', async () => {
    const file = join(folder, 'out.bin');
    writeFileSync(`${file}.part`, 'half');
    await get(['--proxy', 'http://127.0.0.1:1', '-o', file, `${origin.url}/bytes/5`]);
    await get(['--proxy', 'direct', '-o', file, `${origin.url}/status/404`]);
    expect(readFileSync(`${file}.part`, 'utf8')).toBe('half');
  });

  it('lets one command at a time write a file, and says so to the other', async () => {
    const file = join(folder, 'out.bin');
    let answer = (): void => undefined;
    await using slow = await createRawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
        answer = () => void socket.write('def');
      });
    });
    const first = get(['--proxy', 'direct', '-o', file, `${slow.url}/`]);
    await expect
      .poll(() => existsSync(`${file}.part`) && readFileSync(`${file}.part`, 'utf8'))
      .toBe('abc');
    const second = await get(['--proxy', 'direct', '-o', file, `${origin.url}/bytes/5`]);
    answer();
    expect(second).toMatchObject({ code: 9, stderr: expect.stringMatching(/another command/) });
    expect((await first).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('abcdef');
    expect(readdirSync(folder)).toEqual(['out.bin']);
  });

  it.each([
    ['Ctrl-C', 'SIGINT', 130],
    ['a kill', 'SIGKILL', null],
  ] as const)(
    'keeps what has arrived at %s, and the next one goes on',
    async (_what, signal, exit) => {
      const file = join(folder, 'out.bin');
      await using stuck = await createRawServer((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc'));
      });
      let end = (_signal: NodeJS.Signals): unknown => undefined;
      const stopped = get(['--proxy', 'direct', '-o', file, `${stuck.url}/`], {
        onStart: (kill: typeof end) => {
          end = kill;
        },
      });
      await expect
        .poll(() => existsSync(`${file}.part`) && readFileSync(`${file}.part`).length)
        .toBe(3);
      end(signal);
      expect((await stopped).code).toBe(exit);
      expect(readFileSync(`${file}.part`, 'utf8')).toBe('abc');
      const again = await get(['--proxy', 'direct', '-o', file, `${origin.url}/bytes/5`]);
      expect(again).toMatchObject({ code: 0, stderr: '' });
      expect(readdirSync(folder)).toEqual(['out.bin']);
    },
  );

  it('writes a pipe and a link as what they are', async () => {
    const pipe = join(folder, 'pipe');
    const real = join(folder, 'real.bin');
    const link = join(folder, 'link.bin');
    execFileSync('mkfifo', [pipe]);
    writeFileSync(real, 'older');
    symlinkSync(real, link);
    const reader = execFile('cat', [pipe], { encoding: 'buffer' });
    const read = readAll(reader.stdout ?? Readable.from([]));
    const url = `${origin.url}/bytes/5000`;
    expect((await get(['--proxy', 'direct', '-o', pipe, url])).code).toBe(0);
    expect((await read).equals(originBytes(5000))).toBe(true);
    expect((await get(['--proxy', 'direct', '-o', link, url])).code).toBe(0);
    expect(readFileSync(real)).toHaveLength(5000);
    expect([lstatSync(pipe).isFIFO(), lstatSync(link).isSymbolicLink()]).toEqual([true, true]);
    expect(readdirSync(folder).sort()).toEqual(['link.bin', 'pipe', 'real.bin']);
  });

  it('sums up in JSON', async () => {
    const file = join(folder, 'out.bin');
    const { code, stdout } = await get([
      '--json',
      '--proxy',
      proxy.url,
      '-o',
      file,
      `${origin.url}/redirect/2`,
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: true,
      status: 200,
      output: file,
      route: { kind: 'proxy', proxy: proxy.url, source: { name: '--proxy' } },
      scheme: 'NTLM',
      identity: 'CORP\\alice',
      redirects: 2,
      legs: 5,
      connections: 1,
    });
  });

  it('follows 10 redirects and no more', async () => {
    expect((await get(['--proxy', 'direct', `${origin.url}/redirect/10`])).code).toBe(0);
    const { code, stderr } = await get(['--proxy', 'direct', `${origin.url}/redirect/11`]);
    expect(code).toBe(7);
    expect(stderr).toContain('more than 10 redirects');
  });

  it('gives headers for one host to no other', async () => {
    await using elsewhere = await createRawServer((socket) => {
      socket.once('data', () =>
        socket.end(
          `HTTP/1.1 302 Found\r\nLocation: ${origin.url}/headers\r\nContent-Length: 0\r\n\r\n`,
        ),
      );
    });
    const { stdout } = await get([
      ...['--proxy', 'direct', `${elsewhere.url}/`],
      ...[
        '-H',
        'Authorization: Bearer mine',
        '-H',
        'Cookie: a=b',
        '-H',
        'Accept-Language: de',
        '-H',
        'X-Api-Key: mine',
      ],
    ]);
    const headers = JSON.parse(stdout.toString());
    expect(headers).toMatchObject({ 'accept-language': 'de' });
    expect(JSON.stringify(headers)).not.toMatch(/authorization|cookie|api-key/i);
  });

  it('does not wait for the page of a redirect', async () => {
    await using endless = await createRawServer((socket) => {
      socket.once('data', () =>
        socket.write(`HTTP/1.1 302 Found\r\nLocation: ${origin.url}/bytes/3\r\n\r\nand so on`),
      );
    });
    const started = performance.now();
    const { code, stdout } = await get(['--proxy', 'direct', `${endless.url}/`]);
    expect([code, stdout.length]).toEqual([0, 3]);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('shows nothing of a server that could steer the terminal', async () => {
    await using rude = await createRawServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 403 \u001b[31mred\u001b]0;title\u0007\r\nContent-Length: 0\r\n\r\n'),
      );
    });
    const { code, stderr } = await get(['-vv', '--proxy', 'direct', `${rude.url}/`]);
    expect(code).toBe(7);
    expect(stderr).toContain('answered 403 ?[31mred?]0;title?');
  });

  it('takes the password from standard input, first line only', async () => {
    const { code, stdout } = await get(
      ['--proxy', proxy.url, '--user', 'CORP\\alice', '--password-stdin', `${origin.url}/bytes/7`],
      { env: {}, input: `${ALICE.password}\r\nnot this` },
    );
    expect([code, stdout.length]).toEqual([0, 7]);
  });

  it('takes name and password from the proxy URL, decoded once', async () => {
    const special = { name: 'special', domain: 'CORP', password: 'B0b:pass%word@x' };
    await using theirs = await createCorporateProxy({ schemes: ['NTLM'], users: [special] });
    const url = `http://CORP%5Cspecial:${encodeURIComponent(special.password)}@127.0.0.1:${theirs.port}`;
    const { code, stdout } = await get([`${origin.url}/bytes/7`], { env: { HTTP_PROXY: url } });
    expect([code, stdout.length]).toEqual([0, 7]);
  });

  it('shows each leg with -v, and no secret with -vv', async () => {
    const { stderr } = await get(['-vv', '--proxy', proxy.url, `${secureOrigin.url}/bytes/7`]);
    const target = new URL(secureOrigin.url).host;
    expect(stderr.split('\n').filter((line) => !line.startsWith('<   '))).toEqual([
      `* ${secureOrigin.url}: ${proxy.url} (from --proxy)`,
      `* connection to 127.0.0.1:${proxy.port} opened`,
      `> CONNECT ${target}`,
      `< 407 from 127.0.0.1:${proxy.port}, proxy offers NTLM`,
      '* proxy: ntlm: CORP\\alice for 127.0.0.1, from NTLM; 127.0.0.1 was named by --proxy',
      `> CONNECT ${target} with NTLM for the proxy`,
      `< 407 from 127.0.0.1:${proxy.port}, proxy offers NTLM`,
      `> CONNECT ${target} with NTLM for the proxy`,
      `< 200 from 127.0.0.1:${proxy.port}`,
      '> GET /bytes/7',
      `< 200 from ${target}`,
      '',
    ]);
    expect(stderr).not.toMatch(/TlRM|Alice-Secret/);
  });

  it('says with -v that a password in the environment belongs to nobody', async () => {
    const { stderr } = await get(['-v', '--proxy', proxy.url, `${origin.url}/bytes/7`], {
      env: { SALLYPORT_PASSWORD: ALICE.password },
    });
    expect(stderr).toContain('* SALLYPORT_PASSWORD is not used: nobody is named');
  });

  it('ends with an error of its own when nobody reads its output', async () => {
    const { code, stderr } = await get(['--proxy', 'direct', `${origin.url}/bytes/3000000`], {
      redirect: '| head -c 1',
    });
    // The pipe's status is that of `head`; what matters is one line and no crash.
    expect(code).toBe(0);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^sallyport: Cannot write standard output/);
  });
});

describe('bad input', () => {
  interface Row {
    readonly what: string;
    readonly args: () => readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly redirect?: string;
    readonly input?: string | Buffer;
    readonly exit: number;
    readonly says: RegExp;
  }
  const page = () => `${origin.url}/bytes/5`;
  const TABLE: readonly Row[] = [
    {
      what: 'no URL',
      args: () => [],
      exit: 2,
      says: /missing required argument 'url'. Try sallyport get --help/,
    },
    {
      what: 'an option with a slip',
      args: () => ['--prxy', page()],
      exit: 2,
      says: /unknown option '--prxy'. Did you mean --proxy\? Try/,
    },
    {
      what: 'an unknown option with a password',
      args: () => ['--password=Wrong-Secret9', page()],
      exit: 2,
      says: /unknown option '--password'\./,
    },
    {
      what: 'an unknown option with a header glued to it',
      args: () => ['-kAuthorization: Bearer Wrong-Secret9', page()],
      exit: 2,
      says: /unknown option '-k'\./,
    },
    {
      what: 'too long a wait',
      args: () => ['--connect-timeout', '1e9', page()],
      exit: 2,
      says: /above 0, a day \(86400\) at most/,
    },
    {
      what: 'an unknown option',
      args: () => ['--wat', page()],
      exit: 2,
      says: /unknown option '--wat'/,
    },
    {
      what: 'a URL that is none',
      args: () => ['example.com/x'],
      exit: 2,
      says: /"example.com\/x" is not a URL.*https:\/\//,
    },
    { what: 'a URL without host', args: () => ['http://'], exit: 2, says: /with a host/ },
    {
      what: 'a URL of another kind',
      args: () => ['ftp://example.com/'],
      exit: 2,
      says: /"ftp:\/\/example.com\/" is not an http/,
    },
    {
      what: 'a URL with a password',
      args: () => ['http://u:Url-Secret7@example.com/'],
      exit: 2,
      says: /example\.com has a user name or password.*--origin-user/,
    },
    {
      what: 'a malformed proxy URL',
      args: () => ['--proxy', 'http://proxy:99999', page()],
      exit: 2,
      says: /--proxy.*port/i,
    },
    {
      what: 'a proxy URL with a stray percent',
      args: () => [page()],
      env: { HTTP_PROXY: 'http://u:Url-Secret7%zz@proxy:3128' },
      exit: 2,
      says: /HTTP_PROXY.*%25/,
    },
    {
      what: 'a SOCKS proxy',
      args: () => ['--proxy', 'socks5://proxy:1080', page()],
      exit: 2,
      says: /--proxy.*HTTP/,
    },
    {
      what: 'an unknown scheme',
      args: () => ['--auth', 'ntlm,kerberos', page()],
      exit: 2,
      says: /--auth: "kerberos" is not a scheme.*negotiate, ntlm, digest, basic/,
    },
    {
      what: 'an unreadable CA',
      args: () => ['--ca', '/nonexistent.pem', page()],
      exit: 2,
      says: /Cannot read \/nonexistent\.pem \(ENOENT\).*PEM/,
    },
    {
      what: 'a CA that is none',
      args: () => ['--ca', '/etc/hostname', page()],
      exit: 2,
      says: /\/etc\/hostname holds no certificate/,
    },
    {
      what: 'a header with a line break',
      args: () => ['-H', 'A: b\r\nC: d', page()],
      exit: 2,
      says: /header A has a line break or a NUL/,
    },
    {
      what: 'a header without a name',
      args: () => ['-H', 'novalue', page()],
      exit: 2,
      says: /-H "Name: value"/,
    },
    {
      what: 'a header that is no token',
      args: () => ['-H', 'A B: c', page()],
      exit: 2,
      says: /"A B" is not a header name/,
    },
    {
      what: 'a directory as output',
      args: () => ['-o', SCRATCH, page()],
      exit: 9,
      says: /is a directory/,
    },
    {
      what: 'an output in a directory that is not there',
      args: () => ['-o', '/nonexistent/x', page()],
      exit: 9,
      says: /Cannot write \/nonexistent\/x: its directory does not exist\. Create that folder/,
    },
    {
      what: 'a full disk',
      args: () => ['--proxy', 'direct', page()],
      redirect: '>/dev/full',
      exit: 9,
      says: /Cannot write standard output: the disk is full/,
    },
    { what: '--json without -o', args: () => ['--json', page()], exit: 2, says: /-o/ },
    {
      what: 'a configuration file that is not there',
      args: () => ['--config', '/nonexistent.json', page()],
      exit: 2,
      says: /\/nonexistent\.json cannot be read/,
    },
    {
      what: 'a user name without a name',
      args: () => ['--user', 'CORP\\', '--proxy', proxy.url, page()],
      env: { SALLYPORT_PASSWORD: ALICE.password },
      exit: 2,
      says: /user name of --user is empty/,
    },
    ...[
      ['a slash for the backslash', 'CORP/alice', /--user has a slash where a backslash belongs/],
      ['no domain', '\\alice', /--user has no domain before its backslash/],
      ['nothing behind its @', 'alice@', /--user has nothing before or behind its @/],
    ].map(([what, user, says]) => ({
      what: `a name with ${what}`,
      args: () => ['--user', String(user), '--proxy', proxy.url, page()],
      env: { SALLYPORT_PASSWORD: 'Wrong-Secret9' },
      exit: 2,
      says: says as RegExp,
    })),
    {
      what: 'a password that is not UTF-8',
      args: () => ['--password-stdin', '--user', 'CORP\\alice', '--proxy', proxy.url, page()],
      input: Buffer.from('P\xe455\n', 'latin1'),
      exit: 2,
      says: /is not UTF-8.*Save the file as UTF-8/,
    },
    {
      what: 'a password for nobody',
      args: () => ['--password-stdin', '--proxy', proxy.url, page()],
      env: {},
      input: 'Wrong-Secret9\n',
      exit: 2,
      says: /password for the proxy is given, but nobody is named. Name the user with --user/,
    },
    {
      what: 'a password for no user of the web server',
      args: () => ['--origin-password-stdin', '--proxy', 'direct', page()],
      input: 'Wrong-Secret9\n',
      exit: 2,
      says: /password for web servers is given.*--origin-user/,
    },
    {
      what: 'delegation to nobody who is trusted',
      args: () => ['--delegate', '127.0.0.1', '--proxy', proxy.url, page()],
      exit: 2,
      says: /127\.0\.0\.1 is in --delegate, but is not trusted.*--trusted 127\.0\.0\.1/,
    },
    {
      what: 'a header without a colon',
      args: () => ['-H', 'foo', page()],
      exit: 2,
      says: /has no colon behind its name/,
    },
    {
      what: 'a malformed service name',
      args: () => ['--spn', 'proxy', page()],
      exit: 2,
      says: /"proxy" is not a service name.*HTTP\//,
    },
    {
      what: 'no password on standard input',
      args: () => ['--password-stdin', page()],
      exit: 4,
      says: /no password/,
    },
    {
      what: 'an empty output name',
      args: () => ['-o', '', page()],
      exit: 2,
      says: /-o is empty/,
    },
    {
      what: 'an empty value',
      args: () => ['--ca', '', page()],
      exit: 2,
      says: /--ca has an empty value/,
    },
    {
      what: 'a password behind the name',
      args: () => ['--user', 'CORP\\alice:Wrong-Secret9', page()],
      exit: 2,
      says: /--user takes the name only/,
    },
    {
      what: 'two backslashes',
      args: () => ['--user', 'CORP\\\\alice', page()],
      exit: 2,
      says: /two backslashes/,
    },
    {
      what: 'a name that lost its backslash',
      args: () => ['--proxy', proxy.url, '--user', 'CORPalice', page()],
      env: { SALLYPORT_PASSWORD: 'Wrong-Secret9' },
      exit: 4,
      says: /refused CORPalice.*sent as CORPalice, without a domain/,
    },
    {
      what: 'a name without its password',
      args: () => ['--proxy', proxy.url, '--user', 'CORP\\alice', page()],
      env: {},
      exit: 4,
      says: /there is no password for CORP\\alice. Set SALLYPORT_PASSWORD/,
    },
    {
      what: 'https to a proxy without TLS',
      args: () => ['--proxy', origin.url.replace('http:', 'https:'), page()],
      exit: 3,
      says: /does not speak TLS. Is it http:\/\/127/,
    },
    {
      what: 'a proxy that is not there',
      args: () => ['--proxy', 'http://127.0.0.1:1', page()],
      exit: 3,
      says: /127\.0\.0\.1:1 \(ECONNREFUSED\).*sallyport which shows who named it/,
    },
    {
      what: 'a wrong password',
      args: () => ['--proxy', proxy.url, page()],
      env: { ...AS_ALICE, SALLYPORT_PASSWORD: 'Wrong-Secret9' },
      exit: 4,
      says: /127\.0\.0\.1:\d+ refused CORP\\alice.*try again/,
    },
    {
      what: 'no credentials',
      args: () => ['--proxy', proxy.url, page()],
      env: {},
      exit: 4,
      says: /127\.0\.0\.1:\d+ asks for sign-on \(NTLM\).*--user/,
    },
    {
      what: 'an origin that is not there',
      args: () => ['--proxy', 'direct', 'http://127.0.0.1:1/'],
      exit: 6,
      says: /127\.0\.0\.1:1 \(ECONNREFUSED\)/,
    },
    {
      what: 'an origin behind the proxy that is not there',
      args: () => ['--proxy', proxy.url, 'https://127.0.0.1:1/'],
      exit: 5,
      says: /127\.0\.0\.1:\d+ refused to connect to 127\.0\.0\.1:1: 502/,
    },
    {
      what: 'an unknown certificate',
      args: () => [
        '--proxy',
        'direct',
        '--ca',
        '/etc/ssl/certs/ca-certificates.crt',
        `${secureOrigin.url}/`,
      ],
      exit: 6,
      says: /No TLS with 127\.0\.0\.1:\d+ .*--ca/,
    },
    {
      what: 'a web server with a sign-on of its own',
      args: () => ['--proxy', 'direct', `${signOnOrigin.url}/ntlm/bytes/4`],
      exit: 7,
      says: /answered 401.*--trusted 127\.0\.0\.1 for the signed-in user, or another user with --origin-user/,
    },
    {
      what: 'a forwarded request for a server that is not there',
      args: () => ['--proxy', proxy.url, 'http://127.0.0.1:1/'],
      exit: 7,
      says: /^sallyport: The answer for 127\.0\.0\.1:1 is 502 .*, by that server or by 127\.0\.0\.1:\d+\. Check the address; the proxy/,
    },
    {
      what: 'a forwarded request that is forbidden',
      args: () => ['--proxy', proxy.url, `${origin.url}/status/403`],
      exit: 7,
      says: /The answer for .* is 403.*, by that server or by .*ask the people who run the proxy, or that server/,
    },
    {
      what: 'http to a port that wants https',
      args: () => ['--proxy', 'direct', `${origin.url}/status/400`],
      exit: 7,
      says: /answered 400.*wants https/,
    },
    {
      what: 'a method that is not taken there',
      args: () => ['--proxy', 'direct', '-X', 'DELETE', `${origin.url}/status/405`],
      exit: 7,
      says: /answered 405.*name another with -X/,
    },
    {
      what: 'the password of somebody else',
      args: () => ['--proxy', proxy.url, '--user', 'CORP\\bob', page()],
      exit: 4,
      says: /no password for CORP\\bob\. Set SALLYPORT_PASSWORD \(where SALLYPORT_USER names somebody, it is the password of that one\)/,
    },
    {
      what: 'an error status',
      args: () => ['--proxy', 'direct', `${origin.url}/status/404`],
      exit: 7,
      says: /127\.0\.0\.1:\d+ answered 404/,
    },
  ];

  it.each(TABLE)(
    '$what: exit $exit',
    async ({ args, env = AS_ALICE, redirect = '', input = '', exit, says }) => {
      const { code, stdout, stderr } = await get(args(), { env, redirect, input });
      const lines = stderr.trim().split('\n');
      expect(stderr).toMatch(says);
      expect(code).toBe(exit);
      expect(lines[0]).toMatch(/^sallyport: /);
      expect(lines).toHaveLength(1);
      expect(stderr).not.toMatch(/^\s+at /m);
      for (const secret of SECRETS) {
        expect(stderr + stdout.toString()).not.toContain(secret);
      }
    },
  );

  it('prints a command that passes, where Basic is the way', async () => {
    await using basic = await createCorporateProxy({
      schemes: ['Basic'],
      users: [{ name: 'alice', password: ALICE.password }],
    });
    const { stderr } = await get(['--proxy', basic.url, page()], { env: {} });
    const words = / with your name for NAME: sallyport get (.*)\.?\n$/.exec(stderr)?.[1] ?? '';
    expect(words).toContain('--auth negotiate,ntlm,digest,basic --allow-basic-http --user NAME ');
    const env = { SALLYPORT_PASSWORD: ALICE.password };
    const told = await get(words.replace('NAME', 'alice').split(' '), { env });
    expect(told).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['speaks garbage', 'SSH-2.0-OpenSSH\r\n', 6, 'PROXY_GARBLED', 'proxy'],
    [
      'sends a head over 64 KiB',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
      6,
      'HEAD_TOO_LARGE',
      'proxy',
    ],
    [
      'sends an oversized token',
      `HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM ${'A'.repeat(70_000)}\r\n\r\n`,
      6,
      'HEAD_TOO_LARGE',
      'proxy',
    ],
  ])('a proxy that %s', async (_claim, answer, exit, errorCode, blame) => {
    await using bad = await createRawServer((socket) =>
      socket.once('data', () => socket.write(answer)),
    );
    const file = join(folder, 'x');
    const { code, stdout, stderr } = await get(['--json', '-o', file, '--proxy', bad.url, page()]);
    expect(code).toBe(exit);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: false,
      error: { code: errorCode, blame },
    });
    expect(stderr).toContain(`127.0.0.1:${bad.port}`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(file)).toBe(false);
  });

  it('shows a stack with -vv only', async () => {
    const { stderr } = await get(['-vv', '--proxy', 'http://127.0.0.1:1', page()]);
    expect(stderr).toMatch(/^\s+at /m);
  });
});

describe('sallyport which', () => {
  it.each([
    [[], {}, 'direct (default)'],
    [['--proxy', 'proxy:3128'], {}, 'http://proxy:3128 (from --proxy)'],
    [
      [],
      { https_proxy: 'http://u:Url-Secret7@proxy:3128' },
      'http://proxy:3128 (from https_proxy)',
    ],
    [
      [],
      { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.example' },
      'direct (NO_PROXY has .example)',
    ],
    [
      [],
      { SALLYPORT_PROXY: 'https://[::1]:8443', HTTPS_PROXY: 'http://other' },
      'https://[::1]:8443 (from SALLYPORT_PROXY)',
    ],
  ] as const)('%j with %j says %s', async (args, env, says) => {
    const { code, stdout, stderr } = await sallyport(['which', ...args, 'https://www.example/'], {
      env,
    });
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({
      code: 0,
      stdout: `${says}\n`,
      stderr: '',
    });
  });

  it('says it in JSON', async () => {
    const { stdout } = await sallyport(['which', '--json', 'https://www.example/'], {
      env: { ALL_PROXY: 'http://p:1' },
    });
    expect(JSON.parse(stdout.toString())).toEqual({
      kind: 'proxy',
      proxy: 'http://p:1',
      source: { kind: 'environment', name: 'ALL_PROXY' },
    });
  });
});

describe('sallyport', () => {
  it.each([
    [['--help'], 0, 'Exit codes:'],
    [['get', '--help'], 0, 'Examples:'],
    [['--version'], 0, '0.1.0'],
  ])('%j prints on standard output', async (args, exit, says) => {
    const { code, stdout, stderr } = await sallyport(args);
    expect(code).toBe(exit);
    expect(stdout.toString()).toContain(says);
    expect(stderr).toBe('');
  });

  it('has examples in its help that work when they are pasted', async () => {
    const commands = ['get', 'run', 'doctor', 'login', 'logout', 'trust', 'retry', 'which'];
    const helps = [['--help'], ...commands.map((command) => [command, '--help'])];
    for (const args of helps) {
      const { stdout } = await sallyport(args);
      const examples = stdout.toString().match(/^ {2}sallyport .*$/gm) ?? [];
      // An ellipsis is no digest, and a remark that is no comment of the shell would be taken for an address.
      expect(examples.filter((line) => /\.\.\.| {3,}(?!# )\S/.test(line.trim()))).toEqual([]);
    }
  });

  it.each([
    [['get', '--json', '--prxy', 'x', 'http://x/'], "unknown option '--prxy'"],
    [['nosuch', '--json'], "unknown command 'nosuch'"],
    [['help', 'nosuch', '--json'], "unknown command 'nosuch'"],
  ])('%j is a usage error, in JSON as well', async (args, message) => {
    const { code, stdout, stderr } = await sallyport(args);
    expect(code).toBe(2);
    expect(JSON.parse(stdout.toString())).toMatchObject({ error: { code: 'USAGE', message } });
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    [['--help']],
    [['--version']],
    [['which', 'http://x.example/']],
    [['trust', '--list']],
    [['doctor', '--json', '--proxy', 'direct']],
  ])('%j says so when its output cannot be written', async (args) => {
    const { code, stderr } = await sallyport(args, { redirect: '>/dev/full' });
    expect(stderr).toBe(
      'sallyport: Cannot write standard output: the disk is full. Make room and try again.\n',
    );
    expect(code).toBe(9);
  });

  it.skipIf(process.platform === 'win32')('can be run by its name after each build', () => {
    expect(execFileSync(MAIN, ['--version'], { encoding: 'utf8' })).toBe('0.1.0\n');
  });

  it('without a command shows its help and ends with usage', async () => {
    const { code, stderr } = await sallyport([]);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: sallyport');
  });
});
