// Two runs of the history, row by row: what got worse beyond noise. Owns that judgement. Only ratios within a run are held
// against each other: what the machine did that day is in both ends of a ratio.
import type { RawRow, RawRun, RawSection } from './results.ts';
import { median, medianBand } from './statistics.ts';
import type { Unit } from './units.ts';
import { formatValue, isMoreBetter } from './units.ts';

/** `shown` is a figure without a ratio, which says more about the machine than about the code. */
export type Change = 'worse' | 'better' | 'same' | 'shown' | 'gone' | 'new';

export interface Comparison {
  /** As the later run names the row. */
  readonly name: string;
  readonly title: string;
  readonly before: string;
  readonly after: string;
  /** Of the ratio, `+4 %`. */
  readonly difference: string;
  readonly change: Change;
}

/** Two runs of the same code differ as much. */
const LEAST_CHANGE = 0.05;

/**
 * A row has changed when the bands in which its ratio lies, in 19 of 20 cases, do not touch, and the ratios are 5 % apart.
 *
 * @returns a line for each row of the sections that the later run has
 */
export function compareRuns(before: RawRun, after: RawRun): Comparison[] {
  return after.sections.flatMap((section) => {
    const earlier = before.sections.find(({ key }) => key === section.key);
    const isThere = (id: string): boolean => section.rows.some((row) => row.id === id);
    const gone = (earlier?.rows ?? []).filter(({ id }) => !isThere(id));
    return [...section.rows, ...gone].map((row) => compareRow(row.id, earlier, section));
  });
}

/** The table in Markdown. */
export function formatComparison(lines: readonly Comparison[]): string {
  const header = ['', '', 'then', 'now', 'difference', ''];
  const cells = lines.map((line) => [
    ...[line.name, line.title, line.before, line.after, line.difference],
    MARKS[line.change],
  ]);
  const widths = header.map((cell, at) =>
    Math.max(cell.length, 3, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [header, rule, ...cells].map(format).join('\n');
}

const MARKS: Readonly<Record<Change, string>> = {
  worse: 'WORSE',
  better: 'better',
  same: '',
  shown: '',
  gone: 'not measured now',
  new: 'not measured then',
};

function compareRow(id: string, earlier: RawSection | undefined, later: RawSection): Comparison {
  const before = figuresOf(id, earlier);
  const after = figuresOf(id, later);
  const row = rowOf(id, later) ?? rowOf(id, earlier);
  const growth = before?.ratios && after?.ratios ? growthOf(before.ratios, after.ratios) : null;
  return {
    ...{ name: row?.name ?? '', title: row?.title ?? '' },
    before: figureOf(before, later.unit),
    after: figureOf(after, later.unit),
    difference: growth === null ? '' : `${growth < 0 ? '' : '+'}${(growth * 100).toFixed(0)} %`,
    change: changeOf(before, after, later.unit),
  };
}

interface Figures {
  readonly values: readonly number[];
  /** Round by round, to the row it is compared with. */
  readonly ratios: readonly number[] | null;
}

/** @returns `null` for a row that was not measured */
function figuresOf(id: string, section: RawSection | undefined): Figures | null {
  const row = rowOf(id, section);
  const values = valuesOf(row);
  if (values === null) {
    return null;
  }
  const others = valuesOf(rowOf(row?.against ?? null, section));
  const ratios = values.map((value, round) => value / (others?.[round] ?? Number.NaN));
  return { values, ratios: ratios.some(Number.isNaN) ? null : ratios };
}

function rowOf(id: string | null, section: RawSection | undefined): RawRow | undefined {
  return section?.rows.find((row) => row.id === id);
}

function valuesOf(row: RawRow | undefined): readonly number[] | null {
  const samples = row !== undefined && 'samples' in row.outcome ? row.outcome.samples : [];
  return samples.length === 0 ? null : samples.map(({ value }) => value);
}

function changeOf(before: Figures | null, after: Figures | null, unit: Unit): Change {
  if (before === null) {
    return after === null ? 'shown' : 'new';
  }
  if (after === null) {
    return 'gone';
  }
  if (before.ratios === null || after.ratios === null) {
    return 'shown';
  }
  const [was, is] = [medianBand(before.ratios), medianBand(after.ratios)];
  const isApart = was.high < is.low || is.high < was.low;
  const growth = growthOf(before.ratios, after.ratios);
  if (!isApart || Math.abs(growth) < LEAST_CHANGE) {
    return 'same';
  }
  return growth > 0 === isMoreBetter(unit) ? 'better' : 'worse';
}

function growthOf(before: readonly number[], after: readonly number[]): number {
  return median(after) / median(before) - 1;
}

function figureOf(figures: Figures | null, unit: Unit): string {
  if (figures === null) {
    return '';
  }
  const { values, ratios } = figures;
  return ratios === null
    ? `${formatValue(median(values), unit)} ${unit}`
    : median(ratios).toFixed(2);
}
