import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeFolder } from './own-folder.ts';

const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-folder-'));
afterAll(() => rmSync(SCRATCH, { recursive: true }));

describe('makeFolder', () => {
  it('makes a folder and those above it, for this user alone', () => {
    const folder = join(SCRATCH, 'a', 'b', 'c');
    makeFolder({ folder, within: SCRATCH });
    makeFolder({ folder, within: SCRATCH });
    expect(statSync(folder).isDirectory()).toBe(true);
  });

  it.skipIf(process.platform === 'win32')('fails behind a link that leads nowhere', () => {
    symlinkSync(join(SCRATCH, 'nowhere'), join(SCRATCH, 'link'));
    const folder = join(SCRATCH, 'link', 'a');
    expect(() => makeFolder({ folder, within: SCRATCH })).toThrow('EEXIST');
  });

  it.runIf(process.platform === 'linux')('fails where no folders are made, and ends', () => {
    expect(() => makeFolder({ folder: '/proc/none/a', within: '/proc' })).toThrow(
      /ENOENT|EACCES|is not a folder of this user/,
    );
  });
});
