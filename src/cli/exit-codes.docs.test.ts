// Holds docs/exit-codes.md, the README and `--help` against the exit codes.
import { describe, expect, it } from 'vitest';
import { tableRows } from '../../test/docs/markdown.ts';
import { EXIT_CODES, EXIT_CODES_HELP, EXIT_OK } from './exit-codes.ts';

const CODES: readonly (readonly [string, string])[] = [
  [String(EXIT_OK), 'ok'],
  ...Object.entries(EXIT_CODES).map(([name, number]) => [String(number), name] as const),
];
const NUMBERS = CODES.map(([number]) => number);

describe('exit codes', () => {
  it('stand in docs/exit-codes.md with number and name, and nothing else does', () => {
    const rows = tableRows('docs/exit-codes.md', ['number', 'name', 'when']);
    expect(rows.map(([number, name]) => [number, name])).toEqual(CODES);
  });

  it('stand in the README with their numbers', () => {
    expect(tableRows('README.md', ['code', 'meaning']).map(([number]) => number)).toEqual(NUMBERS);
  });

  it('stand in --help with their numbers', () => {
    const told = [...EXIT_CODES_HELP.matchAll(/^ {2}(\d+) {2}\S/gm)].map(([, number]) => number);
    expect(told).toEqual(NUMBERS);
  });
});
