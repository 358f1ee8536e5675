// Proves the lab itself with other people's clients (curl), so that a broken lab is told apart
// from a broken product. Uses nothing of src/.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { countConnections, finalLegs, originLog, proxyLog } from './access-log.ts';
import { ensureLab, LAB, sha256 } from './lab.ts';

const execute = promisify(execFile);
const inLab = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const lab = await ensureLab();
if (!lab.available) {
  process.stderr.write(`lab tests skipped: ${lab.reason}\n`);
}

const { proxies, origins, users } = LAB;
const SMALL = `${origins.http}/small.txt`;
const SECURE = `${origins.https}/small.txt`;
const ALICE = `${users.alice.typed}:${users.alice.password}`;
const WRONG = `${users.alice.typed}:wrong`;
const NO_TICKET = { KRB5CCNAME: 'FILE:/nonexistent' };

/** Status of the answer, and of the answer to CONNECT (0 without one), as `200/200`. */
async function curl(args: readonly string[], environment: object = {}): Promise<string> {
  const format = '%{http_code}/%{http_connect}';
  const fixed = ['-s', '--noproxy', '', '--cacert', LAB.ca, '--proxy-cacert', LAB.ca];
  const env = { ...process.env, ...LAB.environment, ...environment };
  const run = execute('curl', [...fixed, '-o', '/dev/null', '-w', format, ...args], { env });
  // curl ends with 56 when a CONNECT is refused, yet prints the codes.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout;
}

describe.skipIf(!lab.available)('lab', () => {
  it('status.sh reports every proxy and origin of LAB as up', async () => {
    const { stdout } = await execute('bash', [inLab('status.sh')]);
    const up = stdout.split('\n').filter((line) => line.startsWith('up '));
    const ports = up.map((line) => /:(\d+) /u.exec(line)?.[1]);
    const expected = [
      ...Object.values(proxies).map(({ port }) => String(port)),
      ...Object.values(origins).map((url) => new URL(url).port),
    ];
    expect(ports).toEqual(expect.arrayContaining(expected));
  });

  it('env.sh and LAB name the same users and passwords', async () => {
    const { stdout } = await execute('bash', ['-c', `. '${inLab('env.sh')}' && env`]);
    for (const who of ['alice', 'bob', 'zoe', 'carol', 'dave'] as const) {
      expect(stdout).toContain(`LAB_${who.toUpperCase()}=${users[who].name}\n`);
      expect(stdout).toContain(`LAB_${who.toUpperCase()}_PASSWORD=${users[who].password}\n`);
    }
  });

  it.each([
    ['open proxy', [proxies.open.url, SMALL], '200/000'],
    ['NTLM', [proxies.ntlm.url, '--proxy-ntlm', '-U', ALICE, SMALL], '200/000'],
    ['NTLM, CONNECT', [proxies.ntlm.url, '--proxy-ntlm', '-U', ALICE, SECURE], '200/200'],
    ['NTLM, closing proxy', [proxies.ntlmClose.url, '--proxy-ntlm', '-U', ALICE, SMALL], '200/000'],
    ['Kerberos, CONNECT', [proxies.kerberos.url, '--proxy-negotiate', '-U:', SECURE], '200/200'],
    ['Kerberos by wrapper', [proxies.negotiate.url, '--proxy-negotiate', '-U:', SMALL], '200/000'],
    ['Kerberos in SPNEGO', [proxies.spnego.url, '--proxy-negotiate', '-U:', SECURE], '200/200'],
    ['Basic', [proxies.basic.url, '-U', 'alice:Alice-Secret1', SMALL], '200/000'],
    ['Basic, UTF-8', [proxies.basic.url, '-U', `zoë:${users.zoe.password}`, SMALL], '200/000'],
    ['Basic against AD', [proxies.ntlmBasic.url, '--proxy-basic', '-U', ALICE, SMALL], '200/000'],
    [
      'Digest',
      [proxies.digest.url, '--proxy-digest', '-U', 'alice:Alice-Secret1', SECURE],
      '200/200',
    ],
    ['all schemes', [proxies.all.url, '--proxy-anyauth', '-U', ALICE, SECURE], '200/200'],
    ['TLS to the proxy', [proxies.tls.url, '--proxy-ntlm', '-U', ALICE, SECURE], '200/200'],
    ['cntlm', [proxies.cntlm.url, SECURE], '200/200'],
    ['apache proxy, Kerberos', [proxies.apache.url, '--proxy-negotiate', '-U:', SECURE], '200/200'],
    ['Basic, wrong password', [proxies.basic.url, '-U', 'alice:wrong', SMALL], '407/000'],
    [
      'NTLM, disabled account',
      [
        proxies.ntlm.url,
        '--proxy-ntlm',
        '-U',
        `${users.carol.typed}:${users.carol.password}`,
        SMALL,
      ],
      '407/000',
    ],
    ['NTLM, no credentials', [proxies.ntlm.url, SMALL], '407/000'],
  ])('%s answers as told', async (_name, [proxy = '', ...args], codes) => {
    expect(await curl(['-x', proxy, ...args])).toBe(codes);
  });

  it.each([
    ['Negotiate', ['--negotiate', '-u:', `${origins.auth}/negotiate/`]],
    ['Negotiate over TLS', ['--negotiate', '-u:', `${origins.authTls}/both/`]],
    ['Digest', ['--digest', '-u', 'alice:Alice-Secret1', `${origins.auth}/digest/`]],
    ['NTLM', ['--ntlm', '-u', ALICE, `${origins.ntlm}/small.txt`]],
  ])('origin with 401 %s lets alice in', async (_name, args) => {
    expect(await curl(args)).toBe('200/000');
  });

  it('squid logs one final leg on one connection when an NTLM password is wrong', async () => {
    const mark = await proxyLog('ntlm').mark();
    expect(await curl(['-x', proxies.ntlm.url, '--proxy-ntlm', '-U', WRONG, SECURE])).toBe(
      '000/407',
    );
    const entries = await mark.entries(2);
    expect(entries.map(({ status, auth }) => [status, auth?.scheme, auth?.ntlmType])).toEqual([
      [407, 'NTLM', 1],
      [407, 'NTLM', 3],
    ]);
    expect(finalLegs(entries)).toHaveLength(1);
    expect(countConnections(entries)).toBe(1);
  });

  it('squid logs a Kerberos token as a final leg with the name of the user', async () => {
    const mark = await proxyLog('kerberos').mark();
    await curl(['-x', proxies.kerberos.url, '--proxy-negotiate', '-U:', SECURE]);
    expect(finalLegs(await mark.entries())).toMatchObject([
      {
        user: 'alice@CORP.EXAMPLE',
        method: 'CONNECT',
        url: 'origin.corp.example:8443',
        status: 200,
        auth: { scheme: 'Negotiate', ntlmType: null },
      },
    ]);
  });

  it.each(['spnego', 'apache'] as const)('%s logs the legs of NTLM inside SPNEGO', async (name) => {
    const mark = await proxyLog(name).mark();
    const signOn = ['-x', proxies[name].url, '--proxy-negotiate', '-U:', SMALL];
    expect(await curl(signOn, { ...NO_TICKET, NTLMUSER: 'alice' })).toBe('200/000');
    const entries = await mark.entries(2);
    expect(entries.map(({ user, auth }) => [user, auth?.ntlmType])).toEqual([
      [null, 1],
      ['CORP\\alice', 3],
    ]);
  });

  it('the origin with 401 NTLM logs one final leg when the password is wrong', async () => {
    const mark = await originLog('ntlm').mark();
    expect(await curl(['--ntlm', '-u', WRONG, `${origins.ntlm}/small.txt`])).toBe('401/000');
    expect(finalLegs(await mark.entries(2))).toMatchObject([
      { status: 401, auth: { scheme: 'NTLM', ntlmType: 3 } },
    ]);
  });

  it.each(['small', 'medium', 'large'] as const)(
    '%s file is what SHA256SUMS says',
    async (name) => {
      const { name: fileName, bytes } = LAB.files[name];
      const url = `${origins.http}/${fileName}`;
      const { stdout } = await execute('curl', ['-s', '--noproxy', '', url], {
        encoding: 'buffer',
        maxBuffer: 2 * LAB.files.large.bytes,
      });
      expect(stdout).toHaveLength(bytes);
      expect(createHash('sha256').update(stdout).digest('hex')).toBe(sha256(name));
    },
  );
});
