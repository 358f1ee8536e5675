// A gigabyte down and 100 MiB up through squid, to the byte and without buffering: forwarded and through a tunnel.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrigin } from '../../src/testing/index.ts';
import { CA_FILE, CERTIFICATES, SCRATCH } from '../embedded/network.ts';
import { ensureLab, LAB } from './lab.ts';

const execute = promisify(execFile);
const lab = await ensureLab();
const { proxies, origins, users } = LAB;
const GIB = 1_073_741_824;
const MIB = 1_048_576;
/** What a transfer may hold in memory above an idle process. */
const MEMORY_LIMIT = 64 * MIB;
const HUGE = join(LAB.directory, 'origin/www/huge.bin');
const LARGE = join(LAB.directory, 'origin/www', LAB.files.large.name);
const CHILD = fileURLToPath(new URL('measured-transfer.mjs', import.meta.url));
const AS_ALICE = { user: users.alice.typed, password: users.alice.password };

interface Measured {
  readonly status: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly text: string;
  readonly idle: number;
  readonly peak: number;
}

async function transfer(task: object): Promise<Measured> {
  const run = execute(process.execPath, [CHILD], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
  });
  run.child.stdin?.end(JSON.stringify(task));
  return JSON.parse((await run).stdout);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

describe.skipIf(!lab.available)('a transfer', () => {
  let hugeSha256 = '';

  beforeAll(async () => {
    // Not zeros: a piece in the wrong place must change the digest.
    const key = ['-K', '0123456789abcdef0123456789abcdef', '-iv', '0'.repeat(32)];
    const command = `head -c ${GIB} /dev/zero | openssl enc -aes-128-ctr ${key.join(' ')} -out '${HUGE}'`;
    await execute('bash', ['-c', command]);
    hugeSha256 = await sha256Of(HUGE);
  }, 60_000);

  afterAll(() => {
    if (existsSync(HUGE)) {
      rmSync(HUGE);
    }
  });

  it.each([
    ['forwarded', 'ntlm', origins.http],
    ['through a tunnel', 'spnego', origins.https],
  ] as const)('of 1 GiB down, %s', async (_claim, proxy, origin) => {
    const { status, bytes, sha256, idle, peak } = await transfer({
      warmUp: `${origin}/medium.bin`,
      url: `${origin}/huge.bin`,
      options: { ...AS_ALICE, proxy: proxies[proxy].url, ca: LAB.ca },
    });
    process.stdout.write(`memory above idle: ${((peak - idle) / MIB).toFixed(1)} MiB\n`);
    expect({ status, bytes, sha256 }).toEqual({ status: 200, bytes: GIB, sha256: hugeSha256 });
    expect(peak - idle).toBeLessThanOrEqual(MEMORY_LIMIT);
  });

  it.each([
    ['forwarded', 'ntlm', {}],
    ['through a tunnel', 'spnego', { tls: CERTIFICATES }],
  ] as const)('of 100 MiB up, %s', async (_claim, proxy, tls) => {
    await using origin = await createOrigin(tls);
    const { status, text, idle, peak } = await transfer({
      warmUp: `${origin.url}/bytes/1000000`,
      url: `${origin.url}/echo-sha256`,
      upload: LARGE,
      options: { ...AS_ALICE, proxy: proxies[proxy].url, ca: CA_FILE },
    });
    process.stdout.write(`memory above idle: ${((peak - idle) / MIB).toFixed(1)} MiB\n`);
    expect({ status, ...JSON.parse(text) }).toMatchObject({
      status: 200,
      sha256: await sha256Of(LARGE),
    });
    expect(peak - idle).toBeLessThanOrEqual(MEMORY_LIMIT);
  });

  it('of 1 GiB by the command, into a file', async () => {
    const file = join(SCRATCH, 'huge.bin');
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const { stdout } = await execute(
      process.execPath,
      [main, 'get', '--json', '-o', file, '--proxy', proxies.ntlm.url, `${origins.https}/huge.bin`],
      {
        env: {
          HOME: '/nonexistent',
          SALLYPORT_USER: AS_ALICE.user,
          SALLYPORT_PASSWORD: AS_ALICE.password,
          SALLYPORT_CA: LAB.ca,
        },
      },
    );
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, bytes: GIB, scheme: 'NTLM', legs: 3 });
    expect(await sha256Of(file)).toBe(hugeSha256);
    expect(existsSync(`${file}.part`)).toBe(false);
    rmSync(file);
  });
});
