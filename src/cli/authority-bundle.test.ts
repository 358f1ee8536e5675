// The file of all authorities: what is in it, who may read it, when it goes.
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
import { writeAuthorityBundle } from './authority-bundle.ts';

const COMPANY = createTestCertificates().ca;
function newPlace() {
  const within = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'));
  return { within, folder: join(within, 'state') };
}

describe('writeAuthorityBundle()', () => {
  it('writes the public roots and what is added, for this user alone, once', () => {
    const place = newPlace();
    const file = writeAuthorityBundle([COMPANY], place) ?? '';
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(COMPANY.trim());
    expect(text.split('BEGIN CERTIFICATE')).toHaveLength(rootCertificates.length + 2);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
    const { ino } = statSync(file);
    expect(writeAuthorityBundle([COMPANY], place)).toBe(file);
    expect(statSync(file).ino).toBe(ino);
    expect(readdirSync(join(file, '..'))).toHaveLength(1);
  });

  it('has another name for other certificates, and removes what nobody used for a month', () => {
    const place = newPlace();
    const old = writeAuthorityBundle([COMPANY], place) ?? '';
    const kept = join(old, '../notes.txt');
    writeFileSync(kept, '');
    const monthAgo = new Date(Date.now() - 31 * 86_400_000);
    utimesSync(old, monthAgo, monthAgo);
    utimesSync(kept, monthAgo, monthAgo);
    const next = writeAuthorityBundle([createTestCertificates().ca], place) ?? '';
    expect(
      readdirSync(join(old, '..'))
        .map((name) => join(old, '..', name))
        .sort(),
    ).toEqual([next, kept].sort());
  });

  it('uses nothing that others could change', () => {
    const place = newPlace();
    const file = writeAuthorityBundle([COMPANY], place) ?? '';
    chmodSync(file, 0o666);
    expect(writeAuthorityBundle([COMPANY], place)).toBeUndefined();
    chmodSync(file, 0o600);
    chmodSync(join(file, '..'), 0o777);
    expect(writeAuthorityBundle([COMPANY], place)).toBeUndefined();
  });

  it('is not there without an addition, a home, or room', () => {
    expect(writeAuthorityBundle([], newPlace())).toBeUndefined();
    expect(writeAuthorityBundle([COMPANY], undefined)).toBeUndefined();
    expect(
      writeAuthorityBundle([COMPANY], { within: '/dev/null', folder: '/dev/null/state' }),
    ).toBeUndefined();
  });
});
