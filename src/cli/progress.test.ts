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
  const drawn = (total: number | null, columns = 200): string => {
    let text = '';
    const out = { columns, write: (piece: string) => (text += piece) };
    const progress = new Progress(out as never, total);
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

  it('stays on one line of a narrow terminal', () => {
    const lines = drawn(1000, 20).split('\r').slice(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that clears the rest of the line
    expect(lines.every((line) => line.replace(/\x1b\[K\n?/, '').length < 20)).toBe(true);
  });
});
