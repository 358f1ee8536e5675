// Holds docs/errors.md against the table of error codes and the exit codes.
import { describe, expect, it } from 'vitest';
import { tableRows } from '../../test/docs/markdown.ts';
import { EXIT_CODES } from '../cli/exit-codes.ts';
import { ERROR_CODES } from './codes.ts';

const rows = tableRows('docs/errors.md', ['code', 'blame', 'exit', 'meaning', 'what to do']);

describe('docs/errors.md', () => {
  it('has each code of the table once, in its order, and no other', () => {
    expect(rows.map(([code]) => code)).toEqual(Object.keys(ERROR_CODES));
  });

  it('gives each code the blame and the exit code of the table', () => {
    const told = rows.map(([code, blame, exit]) => [code, blame, exit]);
    const real = Object.entries(ERROR_CODES).map(([code, { blame, outcome }]) => [
      code,
      blame,
      String(EXIT_CODES[outcome]),
    ]);
    expect(told).toEqual(real);
  });

  it('says of each code what it means', () => {
    expect(rows.filter((row) => row.length !== 5 || row[3] === '')).toEqual([]);
  });
});
