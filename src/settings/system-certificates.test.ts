import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createTestCertificates } from '../testing/index.ts';
import { readWindowsCertificates } from './system/windows-certificates.ts';
import { readSystemCertificates } from './system-certificates.ts';

const { ca } = createTestCertificates();
const der = Buffer.from(ca.replaceAll(/-----[^-]*-----|\s/g, ''), 'base64');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readSystemCertificates()', () => {
  it('reads the bundle SSL_CERT_FILE names on Linux', async () => {
    const file = join(folder, 'bundle.pem');
    writeFileSync(file, `# a comment\n${ca}${ca}`);
    const found = await readSystemCertificates({ platform: 'linux', env: { SSL_CERT_FILE: file } });
    expect(found).toEqual({ from: file, certificates: [ca.trim(), ca.trim()] });
  });

  it('tells that this bundle cannot be read, and does not fall back to another', async () => {
    const file = join(folder, 'missing.pem');
    const found = await readSystemCertificates({ platform: 'linux', env: { SSL_CERT_FILE: file } });
    expect(found).toEqual({ from: file, certificates: [], problem: 'it cannot be read (ENOENT)' });
  });

  it('ignores a relative SSL_CERT_FILE', async () => {
    const env = { SSL_CERT_FILE: 'package.json' };
    expect((await readSystemCertificates({ platform: 'linux', env })).from).toMatch(/^\/etc\//);
  });

  it('asks for two keychains of macOS and keeps the authorities', async () => {
    const asked: unknown[] = [];
    const found = await readSystemCertificates({
      platform: 'darwin',
      env: {},
      run: async (file, args) => {
        asked.push([file, ...args]);
        return { output: `${ca}-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n` };
      },
    });
    expect(asked).toEqual([
      [
        '/usr/bin/security',
        'find-certificate',
        '-a',
        '-p',
        '/System/Library/Keychains/SystemRootCertificates.keychain',
        '/Library/Keychains/System.keychain',
      ],
    ]);
    expect(found).toEqual({ from: 'the macOS keychains', certificates: [ca.trim()] });
  });

  it('has none where security does not answer', async () => {
    const run = async () => ({ problem: 'security did not answer in time' });
    expect(await readSystemCertificates({ platform: 'darwin', env: {}, run })).toMatchObject({
      certificates: [],
      problem: 'security did not answer in time',
    });
  });
});

describe('readWindowsCertificates()', () => {
  it('takes no root from a store of intermediates', () => {
    const found = (roots: Buffer[], intermediates: Buffer[]) =>
      readWindowsCertificates(() => ({ roots, intermediates })).certificates;
    expect(found([der], [der])).toEqual([ca.trim()]);
    expect(found([], [der, Buffer.from('odd')])).toEqual([]);
  });

  it('tells what keeps it from reading', () => {
    const found = readWindowsCertificates(() => {
      throw new Error('no crypt32');
    });
    expect(found).toMatchObject({ certificates: [], problem: 'no crypt32' });
  });
});
