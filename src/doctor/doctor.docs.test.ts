// Holds docs/doctor.md against the findings there are, and each check's first id against its layer.
import { describe, expect, it } from 'vitest';
import { read, tableRows } from '../../test/docs/markdown.ts';
import { FINDINGS } from './findings.ts';

const rows = tableRows('docs/doctor.md', ['id', 'layer', 'what it tells']);

describe('docs/doctor.md', () => {
  it('has each finding once, with its layer, in the order of the code', () => {
    expect(rows.map(([id, layer]) => [id, layer])).toEqual(Object.entries(FINDINGS));
  });

  it('says of each what it tells', () => {
    expect(rows.filter((row) => row.length !== 3 || row[2] === '')).toEqual([]);
  });

  it('tells the limit of all checks together', () => {
    const limit = /^const TOTAL_MS = ([\d_]+);$/m.exec(read('src/doctor/diagnose.ts'))?.[1];
    expect(read('docs/doctor.md')).toContain(
      `all together ${Number(limit?.replaceAll('_', '')) / 1000} s`,
    );
  });
});
