import { mkdtempSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FileWriter } from './file-writer.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'sallyport-writer-'));

describe('FileWriter', () => {
  it.each([
    ['small', 5000, 7],
    ['large', 40, 300_000],
    ['of one byte', 3000, 1],
  ])('writes pieces that are %s in their order', async (what, count, length) => {
    const path = join(FOLDER, what);
    const pieces = Array.from({ length: count }, (_, at) => Buffer.alloc(length, at % 251));
    await using file = await open(path, 'w');
    const writer = new FileWriter(file, 0);
    for (const piece of pieces) {
      await writer.write(piece);
    }
    await writer.flush();
    expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
    await writer.end();
  });

  it('goes on at a position, and begins again', async () => {
    const path = join(FOLDER, 'position');
    await using file = await open(path, 'w');
    await file.write('abc');
    const writer = new FileWriter(file, 3);
    await writer.write(Buffer.from('def'));
    await writer.flush();
    expect(readFileSync(path, 'utf8')).toBe('abcdef');
    await writer.write(Buffer.from('ghi'));
    await writer.rewind();
    await writer.write(Buffer.from('xy'));
    await writer.end();
    expect(readFileSync(path, 'utf8')).toBe('xy');
  });

  it('does not hold back what trickles in', async () => {
    const path = join(FOLDER, 'trickle');
    await using file = await open(path, 'w');
    const writer = new FileWriter(file, 0);
    await writer.write(Buffer.from('a'));
    await vi.waitUntil(() => readFileSync(path, 'utf8') === 'a', { timeout: 1000 });
    await writer.end();
  });

  it('tells a failure to whoever writes next, and writes nothing behind it', async () => {
    await using file = await open('/dev/full', 'w');
    const writer = new FileWriter(file, null);
    await writer.write(Buffer.from('a'));
    await expect(writer.flush()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => writer.write(Buffer.from('b'))).toThrow(/ENOSPC/);
    await writer.end();
  });
});
