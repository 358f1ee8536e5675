// The file of all authorities: what is in it, who may read it, when it is made anew, when it goes.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createTestCertificates } from '../testing/index.ts';
import { trustOf } from '../upstream/certificate-authorities.ts';
import { authorityBundle } from './authority-bundle.ts';

const COMPANY = createTestCertificates().ca;

function newPlace() {
  const within = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'));
  return { within, folder: join(within, 'state') };
}

/** The trust of a machine whose store is a file of its own. */
async function newTrust(text: string) {
  const store = join(mkdtempSync(join(tmpdir(), 'sallyport-store-')), 'store.pem');
  writeFileSync(store, text);
  const trust = await trustOf({ ca: undefined, systemCa: true, env: { SSL_CERT_FILE: store } });
  let reads = 0;
  const added = () => {
    reads += 1;
    return trust.added();
  };
  return { store, reads: () => reads, trust: { added, files: trust.files } };
}

const inFolder = (file: string) => readdirSync(join(file, '..')).sort();

describe('authorityBundle()', () => {
  it('writes the public roots and what is added, for this user alone, and reads once', async () => {
    const place = newPlace();
    const { trust, reads } = await newTrust(COMPANY);
    const file = (await authorityBundle(trust, place)) ?? '';
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(COMPANY.trim());
    expect(text.split('BEGIN CERTIFICATE')).toHaveLength(rootCertificates.length + 2);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
    const { ino } = statSync(file);
    expect(await authorityBundle(trust, place)).toBe(file);
    expect([reads(), statSync(file).ino]).toEqual([1, ino]);
    expect(inFolder(file).map((name) => statSync(join(file, '..', name)).mode & 0o777)).toEqual([
      0o600, 0o600,
    ]);
  });

  it('reads again when the store has changed', async () => {
    const place = newPlace();
    const { trust, store } = await newTrust(COMPANY);
    const before = await authorityBundle(trust, place);
    const other = createTestCertificates().ca;
    writeFileSync(store, `${other}\n`);
    const changed = await newTrust(other);
    const after = (await authorityBundle(changed.trust, place)) ?? '';
    expect(after).not.toBe(before);
    expect(readFileSync(after, 'utf8')).toContain(other.trim());
    // The same store, in a process of its own.
    const again = await trustOf({ ca: undefined, systemCa: true, env: { SSL_CERT_FILE: store } });
    expect(await authorityBundle(again, place)).toBe(after);
  });

  it('removes what nobody used for a month, and nothing else', async () => {
    const place = newPlace();
    const old = (await authorityBundle((await newTrust(COMPANY)).trust, place)) ?? '';
    writeFileSync(join(old, '../notes.txt'), '');
    const monthAgo = new Date(Date.now() - 31 * 86_400_000);
    for (const name of inFolder(old)) {
      utimesSync(join(old, '..', name), monthAgo, monthAgo);
    }
    const other = await newTrust(createTestCertificates().ca);
    await authorityBundle(other.trust, place);
    expect(inFolder(old)).toEqual([
      expect.stringMatching(/^authorities-/),
      'notes.txt',
      expect.stringMatching(/^sources-/),
    ]);
    expect(inFolder(old)).not.toContain(old.split('/').at(-1));
  });

  it('replaces a file others could change, and uses no folder of that kind', async () => {
    const place = newPlace();
    const { trust } = await newTrust(COMPANY);
    const file = (await authorityBundle(trust, place)) ?? '';
    writeFileSync(file, 'theirs');
    chmodSync(file, 0o666);
    expect(await authorityBundle(trust, place)).toBe(file);
    expect(readFileSync(file, 'utf8')).toContain(COMPANY.trim());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(join(file, '..'), 0o777);
    expect(await authorityBundle(trust, place)).toBeUndefined();
  });

  it('is not there when nothing is added: which is remembered, too', async () => {
    const { trust, reads } = await newTrust(rootCertificates[0] ?? '');
    const place = newPlace();
    expect(await authorityBundle(trust, place)).toBeUndefined();
    expect(await authorityBundle(trust, place)).toBeUndefined();
    expect(reads()).toBe(1);
  });

  it('is not there without a home, or where nothing can be written', async () => {
    const { trust } = await newTrust(COMPANY);
    expect(await authorityBundle(trust, undefined)).toBeUndefined();
    const nowhere = { within: '/dev/null', folder: '/dev/null/state' };
    expect(await authorityBundle(trust, nowhere)).toBeUndefined();
  });
});
