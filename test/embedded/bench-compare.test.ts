// What `npm run bench -- --compare` calls worse, better and noise.
import { describe, expect, it } from 'vitest';
import { compareRuns, formatComparison } from '../../benchmarks/compare.ts';
import { sampleOf } from '../../benchmarks/contender.ts';
import type { RawRun } from '../../benchmarks/results.ts';
import type { Unit } from '../../benchmarks/units.ts';

/** Twenty rounds of a peer around 100, and of ours at that ratio; each wobbles by the noise, not in step. */
function run(unit: Unit, ratio: number | null, { noise = 0.01, machine = 1 } = {}): RawRun {
  const rounds = Array.from({ length: 20 }, (_, round) => round);
  const peer = rounds.map((round) => machine * 100 * (1 + noise * Math.sin(round * 7)));
  const ours = peer.map((value, round) => value * (ratio ?? 1) * (1 + noise * Math.sin(round * 3)));
  const row = (id: string, against: string | null, values: readonly number[]) => ({
    ...{ id, name: 'A1', title: id, against },
    outcome: { samples: values.map((value) => sampleOf(value)) },
  });
  const rows = [row('peer', null, peer), ...(ratio === null ? [] : [row('ours', 'peer', ours)])];
  return { time: 'then', machine: 'm', sections: [{ key: 'k', title: 't', unit, rows }] };
}

const changeOf = (before: RawRun, after: RawRun) =>
  compareRuns(before, after).find(({ title }) => title === 'ours')?.change;

describe('compareRuns()', () => {
  it.each([
    ['ms', 0.8, 1, 'worse'],
    ['ms', 1, 0.8, 'better'],
    ['MB/s', 0.8, 1, 'better'],
    ['MB/s', 1, 0.8, 'worse'],
    ['ms', 1, 1.04, 'same'],
  ] as const)('calls %s at %f of the peer, now %f, %s', (unit, was, is, change) => {
    expect(changeOf(run(unit, was), run(unit, is))).toBe(change);
  });

  it('takes no slower machine for slower code', () => {
    expect(changeOf(run('ms', 1), run('ms', 1, { machine: 3 }))).toBe('same');
  });

  it('takes no noise for a change', () => {
    expect(changeOf(run('ms', 1, { noise: 0.6 }), run('ms', 1.15, { noise: 0.6 }))).toBe('same');
  });

  it('does not judge a row that is compared with none', () => {
    const [peer] = compareRuns(run('ms', 1), run('ms', 1, { machine: 3 }));
    expect(peer).toMatchObject({ change: 'shown', before: '100.1 ms', after: '300.4 ms' });
  });

  it('tells of rows that one of the two has not', () => {
    expect(changeOf(run('ms', null), run('ms', 1))).toBe('new');
    expect(changeOf(run('ms', 1), run('ms', null))).toBe('gone');
  });

  it('is a table that names what got worse', () => {
    const table = formatComparison(compareRuns(run('MB/s', 1), run('MB/s', 0.8)));
    expect(table).toMatch(/\| A1 +\| ours \| 1\.00 +\| 0\.80 +\| -20 % +\| WORSE \|/);
  });
});
