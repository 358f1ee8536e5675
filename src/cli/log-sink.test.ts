import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogSink } from './log-sink.ts';

const isLinux = process.platform === 'linux';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-log-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tell = (lines: number, why: string): string => `lost ${lines} (${why})\n`;

const PATIENT = { timeout: 10_000 };

describe('LogSink', { timeout: 15_000 }, () => {
  it('writes lines in their order, whole, behind what is in the file', async () => {
    const path = join(folder, 'order.log');
    writeFileSync(path, 'before\n');
    const sink = await LogSink.toFile(path, tell);
    const lines = Array.from({ length: 5000 }, (_, at) => `line ${at}\n`);
    for (const line of lines) {
      sink.write(line);
      if (line.endsWith('00\n')) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect(await sink.close(5000)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(`before\n${lines.join('')}`);
    expect(sink.dropped).toBe(0);
  });

  it('drops what is more than may wait, and says it first of all', async () => {
    const path = join(folder, 'many.log');
    const sink = await LogSink.toFile(path, tell);
    const line = `${'x'.repeat(1023)}\n`;
    for (let count = 0; count < 1000; count += 1) {
      sink.write(line);
    }
    const lost = sink.dropped;
    expect(lost).toBe(1000 - 256);
    await sink.close(5000);
    expect(readFileSync(path, 'utf8')).toBe(
      `lost ${lost} (more came than could be written)\n${line.repeat(256)}`,
    );
  });

  it.skipIf(!isLinux)(
    'counts what a full device does not take, and goes on elsewhere',
    async () => {
      const path = join(folder, 'room.log');
      const sink = await LogSink.toFile('/dev/full', tell);
      sink.write('one\n');
      sink.write('two\n');
      await expect.poll(() => sink.dropped, PATIENT).toBe(2);
      sink.write('three\n');
      await sink.reopen(path);
      await sink.close(5000);
      expect(readFileSync(path, 'utf8')).toBe('lost 2 (ENOSPC)\nthree\n');
    },
  );

  it.skipIf(!isLinux)('says what was lost without another line, once there is room', async () => {
    const path = join(folder, 'alone.log');
    const sink = await LogSink.toFile('/dev/full', tell);
    sink.write('one\n');
    await expect.poll(() => sink.dropped, PATIENT).toBe(1);
    await sink.reopen(path);
    await expect.poll(() => readFileSync(path, 'utf8'), PATIENT).toBe('lost 1 (ENOSPC)\n');
    await sink.close(5000);
    expect(sink.dropped).toBe(1);
  });

  it.skipIf(!isLinux)('waits for a full pipe, and loses nothing that may wait', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const sink = await LogSink.toFile(path, tell);
    const line = `${'y'.repeat(999)}\n`;
    for (let count = 0; count < 200; count += 1) {
      sink.write(line);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    let seen = '';
    const buffer = Buffer.alloc(65_536);
    await expect
      .poll(() => {
        try {
          seen += buffer.toString('latin1', 0, readSync(reader, buffer));
        } catch {
          // Empty at this moment.
        }
        return seen.length;
      }, PATIENT)
      .toBe(200_000);
    expect(seen).toBe(line.repeat(200));
    expect(await sink.close(5000)).toBe(true);
    closeSync(reader);
  });

  it.skipIf(!isLinux)('is not waited for at the end where a pipe stays full', async () => {
    const path = join(folder, 'stalled');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const sink = await LogSink.toFile(path, tell);
    sink.write(`${'z'.repeat(100_000)}\n`);
    expect(await sink.close(50)).toBe(false);
    const buffer = Buffer.alloc(200_000);
    const read = (): number => {
      try {
        return readSync(reader, buffer);
      } catch {
        return 0;
      }
    };
    let seen = 0;
    await expect.poll(() => (seen += read()), PATIENT).toBe(100_001);
    expect(await sink.close(5000)).toBe(true);
    closeSync(reader);
  });

  it('keeps its file where another one cannot be opened', async () => {
    const path = join(folder, 'kept.log');
    const sink = await LogSink.toFile(path, tell);
    await expect(sink.reopen(join(folder, 'no/such/file'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    sink.write('kept\n');
    await sink.close(5000);
    expect(readFileSync(path, 'utf8')).toBe('kept\n');
  });
});
