import { describe, expect, it } from 'vitest';
import { formatBytes, formatTime, Progress } from './progress.ts';

describe('formatBytes()', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [104_857_600, '100.0 MiB'],
    [2 ** 50, '1024.0 TiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatTime()', () => {
  it.each([
    [0, '0:00'],
    [59.1, '1:00'],
    [75, '1:15'],
    [3600, '1:00:00'],
    [Number.POSITIVE_INFINITY, '-:--'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatTime(seconds)).toBe(text);
  });
});

describe('Progress', () => {
  const drawn = (total: number | null, columns = 200, options = {}): string => {
    let text = '';
    const out = { columns, write: (piece: string) => (text += piece) };
    const progress = new Progress(out as never, total, options);
    progress.add(500);
    progress.end();
    return text;
  };

  it('shows bytes, percent, speed and time left', () => {
    expect(drawn(1000)).toMatch(
      /\[#{10}\.{10}\] {2}50% {2}500 B of 1000 B {2}[\d.]+ \w+\/s {2}0:01 left/,
    );
  });

  it('shows bytes and speed when the length is unknown', () => {
    expect(drawn(null)).toMatch(/\r500 B {2}[\d.]+ \w+\/s/);
  });

  it('shows all of it where the terminal does not tell its size', () => {
    expect(drawn(1000, 0)).toContain('0:01 left\u001b');
  });

  it('begins with what was there, which tells nothing of the speed', () => {
    const text = drawn(1_000_000, 200, { already: 999_000 });
    expect(text).toMatch(
      / 99% {2}976\.1 KiB of 976\.6 KiB {2}[\d.]+ (?:B|KiB|MiB)\/s {2}0:01 left/,
    );
  });

  it('says which one it is', () => {
    expect(drawn(1000, 200, { label: 'a.zip' })).toMatch(/\ra\.zip {2}\[#/);
    const long = 'a-name-that-takes-more-than-its-share.zip';
    expect(drawn(1000, 200, { label: long })).toMatch(/\ra-name-that-takes\.\.\. {2}\[#/);
  });

  it('goes back to the beginning', () => {
    let text = '';
    const out = { columns: 200, write: (piece: string) => (text += piece) };
    const progress = new Progress(out as never, 1000);
    progress.add(900);
    progress.restart();
    progress.add(100);
    progress.end();
    expect(text).toMatch(/ 10% {2}100 B of 1000 B[^\r]*\n$/);
  });

  it('stays on one line of a narrow terminal', () => {
    const lines = drawn(1000, 20).split('\r').slice(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that clears the rest of the line
    expect(lines.every((line) => line.replace(/\x1b\[K\n?/, '').length < 20)).toBe(true);
  });
});
