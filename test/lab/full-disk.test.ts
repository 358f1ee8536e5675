// A disk that fills up in the middle of a download: a small file system of the test's own.
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe.skipIf(!lab.available)('a full disk', () => {
  it('ends the download with its own exit code, keeps what has arrived, and goes on when there is room', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-full-'));
    const script = [
      'mount -t tmpfs -o size=4m none "$1"',
      'trap \'umount "$1"\' EXIT',
      '"$2" "$3" get --proxy "$4" -o "$1/large.bin" "$5"',
      'echo "exit $?"',
      'ls -s --block-size=1M "$1"',
      'mount -o remount,size=200m "$1"',
      '"$2" "$3" get --continue --json --proxy "$4" -o "$1/large.bin" "$5"',
      'cmp "$1/large.bin" "$6" && echo "the same"',
    ].join('\n');
    const url = `${LAB.origins.https}/large.bin`;
    const proxy = LAB.proxies.ntlm.url;
    const original = join(LAB.directory, 'origin/www', LAB.files.large.name);
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      execFile(
        'sh',
        ['-c', script, 'sh', folder, process.execPath, MAIN, proxy, url, original],
        {
          env: {
            PATH: process.env['PATH'],
            HOME: folder,
            SALLYPORT_USER: LAB.users.alice.typed,
            SALLYPORT_PASSWORD: LAB.users.alice.password,
            SALLYPORT_CA: LAB.ca,
          },
        },
        (_error, out, err) => resolve({ stdout: out, stderr: err }),
      );
    });
    expect(stdout).toContain('exit 9\n');
    expect(stdout).toMatch(/^[34] large\.bin\.part$/m);
    expect(stderr).toMatch(
      /^sallyport: Cannot write .*large\.bin: the disk is full\. Make room and try again\.$/m,
    );
    expect(stderr.trim().split('\n')).toHaveLength(1);
    // What the disk took counts, to the byte.
    expect(stdout).toMatch(/"continuedAt":[34]\d{6},/);
    expect(stdout).toContain('the same\n');
  });
});
