import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readLines } from './password.ts';

const input = (...pieces: (string | Buffer)[]) =>
  Readable.from(pieces, { objectMode: false }) as AsyncIterable<Buffer>;

describe('readLines()', () => {
  it.each([
    [['one\n'], 1, ['one']],
    [['one'], 1, ['one']],
    [['one\r\ntwo\r\n'], 2, ['one', 'two']],
    [['o', 'ne\ntw', 'o'], 2, ['one', 'two']],
    [['one\ntwo\n'], 1, ['one']],
    [[' Pä55 \n'], 1, [' Pä55 ']],
  ])('of %j: the first %d', async (pieces, count, lines) => {
    expect(await readLines(input(...pieces), count)).toEqual(lines);
  });

  it('reads a letter that is cut in two, and over a byte order mark', async () => {
    const bytes = Buffer.from('\uFEFFPä55\n');
    const pieces = [bytes.subarray(0, 5), bytes.subarray(5)];
    expect(await readLines(input(...pieces), 1)).toEqual(['Pä55']);
  });

  it.each([
    ['Latin-1', Buffer.from('P\xe455\n', 'latin1')],
    ['UTF-16', Buffer.from('\ufeffPass\n', 'utf16le')],
  ])('refuses %s, which would be a wrong password', async (_encoding, bytes) => {
    await expect(readLines(input(bytes), 1)).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: 'The password on standard input is not UTF-8',
    });
  });

  it('does not mind what stands behind the lines', async () => {
    const bytes = Buffer.concat([Buffer.from('Pä55\n'), Buffer.from([0xe4, 0xff])]);
    expect(await readLines(input(bytes), 1)).toEqual(['Pä55']);
  });

  it('refuses a line without an end', async () => {
    await expect(readLines(input('x'.repeat(5000)), 1)).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
    });
  });

  it.each([
    [[''], 1],
    [['\n'], 1],
    [['one\n'], 2],
    [['one\n\n'], 2],
  ])('of %j has not %d', async (pieces, count) => {
    await expect(readLines(input(...pieces), count)).rejects.toMatchObject({
      code: 'CREDENTIALS_MISSING',
    });
  });
});
