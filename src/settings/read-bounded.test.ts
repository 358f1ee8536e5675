import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readBounded } from './read-bounded.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bounded-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readBounded()', () => {
  it('gives a file of the largest size, and null for one byte more', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'x'.repeat(100_000));
    expect(await readBounded(file, 100_000)).toEqual(Buffer.alloc(100_000, 'x'));
    expect(await readBounded(file, 99_999)).toBeNull();
  });

  it.skipIf(process.platform === 'win32')('comes back from a device that never ends', async () => {
    expect(await readBounded('/dev/zero', 100_000)).toBeNull();
  });

  it('rejects with the word of the operating system', async () => {
    await expect(readBounded(join(folder, 'none'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
