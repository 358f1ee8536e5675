// From outcomes to rows with verdicts, and from rows to the table. Owns the arithmetic of a row and its words.
import type { Outcome, Sample } from './contender.ts';
import { reasonOf } from './contender.ts';
import { median, quantile } from './statistics.ts';
import type { Unit } from './units.ts';
import { formatValue } from './units.ts';

/** What a row shows and what it is held against. */
export interface RowPlan {
  readonly id: string;
  readonly title: string;
  /** The id of the row this one is divided by, or which is subtracted. */
  readonly against?: string;
  readonly maxRatio?: number;
  readonly minRatio?: number;
  /** In the unit of the section. */
  readonly maxMore?: number;
  /** Subtracted, but without a target. */
  readonly isDifference?: boolean;
  /** The legs must be those of the other row, too. */
  readonly sameLegs?: boolean;
  /** The figure itself must lie so near to this: only for what is no measurement but a check. */
  readonly near?: { readonly value: number; readonly tolerance: number };
  /** The figure itself, at most: only for what does not depend on the speed of the machine. */
  readonly atMost?: number;
}

/** `none` is a row without a target, `unmeasured` one whose target could not be tried. */
export type Verdict = 'none' | 'met' | 'missed' | 'unmeasured';

export interface Row {
  /** `A1`: the section and the place in it. */
  readonly name: string;
  readonly title: string;
  readonly samples: number;
  readonly legs: string;
  readonly median: string;
  readonly spread: string;
  /** The median by the relay's watch. */
  readonly relay: string;
  /** Seconds for each GB. */
  readonly cpu: string;
  /** To the row it is compared with. */
  readonly comparison: string;
  readonly target: string;
  readonly verdict: Verdict;
  /** Why there are no figures; `null` where there are. */
  readonly absence: string | null;
}

export interface Section {
  readonly title: string;
  readonly unit: Unit;
  readonly rows: readonly Row[];
}

/**
 * @param nameOf names of rows in the table, by id
 */
export function rowOf(
  plan: RowPlan,
  unit: Unit,
  outcomes: ReadonlyMap<string, Outcome>,
  nameOf: ReadonlyMap<string, string>,
): Row {
  const name = nameOf.get(plan.id) ?? '';
  const target = targetOf(plan, unit);
  const outcome = outcomes.get(plan.id);
  const own = samplesOf(outcome);
  if (own === null) {
    const absence = outcome !== undefined && 'unavailable' in outcome ? outcome.unavailable : '';
    const verdict = target === '' ? 'none' : 'unmeasured';
    return { ...EMPTY, name, title: plan.title, target, verdict, absence };
  }
  const values = own.map(({ value }) => value);
  const [low, high] = [0.1, 0.9].map((share) => formatValue(quantile(values, share), unit));
  return {
    ...{ name, title: plan.title, absence: null },
    relay: medianOf(own, 'relayMs', 1),
    cpu: medianOf(own, 'cpuPerGb', 2),
    samples: own.length,
    legs: legsOf(own),
    median: formatValue(median(values), unit),
    spread: `${low} to ${high}`,
    target,
    ...compare(plan, unit, own, samplesOf(outcomes.get(plan.against ?? '')), nameOf),
  };
}

/** A row of a claim that is true or not; one that cannot be tried is `unmeasured`. */
export async function claimRow(
  name: string,
  title: string,
  isTrue: () => Promise<boolean>,
): Promise<Row> {
  const row = { ...EMPTY, name, title, target: 'yes' };
  try {
    const answer = await isTrue();
    const comparison = answer ? 'yes' : 'no';
    return { ...row, comparison, verdict: answer ? 'met' : 'missed', absence: null };
  } catch (error) {
    return { ...row, verdict: 'unmeasured', absence: reasonOf(error) };
  }
}

/** Whether each target was measured and met. */
export function isFine(sections: readonly Section[]): boolean {
  return sections
    .flatMap(({ rows }) => rows)
    .every(({ verdict }) => verdict === 'none' || verdict === 'met');
}

const COLUMNS = ['', '', 'n', 'legs', 'median', '10 % to 90 %', 'by relay', 'CPU s/GB'] as const;

/** The table in Markdown, padded so that it reads as text, too. */
export function formatTable(sections: readonly Section[]): string {
  const header = [...COLUMNS, 'compared', 'target', ''];
  const lines = sections.flatMap(({ title, unit, rows }) => [
    ['', `**${title}: ${unit}**`, ...header.slice(2).map(() => '')],
    ...rows.map((row) => [
      ...[row.name, row.title, row.samples === 0 ? '' : String(row.samples), row.legs, row.median],
      ...[row.spread, row.relay, row.cpu],
      ...[row.absence === null ? row.comparison : 'not available', row.target],
      MARKS[row.verdict],
    ]),
  ]);
  const widths = header.map((cell, at) =>
    Math.max(cell.length, at === 0 ? 2 : 3, ...lines.map((line) => line[at]?.length ?? 0)),
  );
  const format = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [
    format(header),
    format(widths.map((width) => '-'.repeat(width))),
    ...lines.map(format),
  ].join('\n');
}

/** Why rows have no figures, a line each. */
export function formatAbsences(sections: readonly Section[]): string {
  return sections
    .flatMap(({ rows }) => rows)
    .flatMap(({ name, absence }) => (absence === null ? [] : [`- ${name}: ${absence}`]))
    .join('\n');
}

const EMPTY = {
  samples: 0,
  legs: '',
  median: '',
  spread: '',
  relay: '',
  cpu: '',
  comparison: '',
} as const;

const MARKS: Readonly<Record<Verdict, string>> = {
  none: '',
  met: 'met',
  missed: 'MISSED',
  unmeasured: 'not measured',
};

function compare(
  plan: RowPlan,
  unit: Unit,
  own: readonly Sample[],
  other: readonly Sample[] | null,
  nameOf: ReadonlyMap<string, string>,
): Pick<Row, 'comparison' | 'verdict'> {
  const { against, maxRatio, minRatio, maxMore, sameLegs, near, atMost } = plan;
  const { isDifference = maxMore !== undefined } = plan;
  const mine = median(own.map(({ value }) => value));
  if (near !== undefined || atMost !== undefined) {
    return { comparison: '', verdict: isAsItMust(mine, plan) ? 'met' : 'missed' };
  }
  const hasTarget = maxRatio !== undefined || minRatio !== undefined || maxMore !== undefined;
  if (against === undefined || other === null) {
    return { comparison: '', verdict: hasTarget ? 'unmeasured' : 'none' };
  }
  const theirs = median(other.map(({ value }) => value));
  const name = nameOf.get(against) ?? against;
  const legsDiffer = sameLegs === true && legsOf(own) !== legsOf(other);
  const comparison = isDifference
    ? `${name} + ${formatValue(mine - theirs, unit)} ${unit}`
    : `${(mine / theirs).toFixed(2)} of ${name}`;
  if (!hasTarget) {
    return { comparison, verdict: 'none' };
  }
  const isWorse =
    mine / theirs > (maxRatio ?? Number.POSITIVE_INFINITY) ||
    mine / theirs < (minRatio ?? Number.NEGATIVE_INFINITY) ||
    mine - theirs > (maxMore ?? Number.POSITIVE_INFINITY);
  return { comparison, verdict: isWorse || legsDiffer ? 'missed' : 'met' };
}

/** Of what is no ratio. */
function isAsItMust(mine: number, { near, atMost }: RowPlan): boolean {
  return near === undefined
    ? mine <= (atMost ?? Number.POSITIVE_INFINITY)
    : Math.abs(mine - near.value) <= near.tolerance;
}

function targetOf(plan: RowPlan, unit: Unit): string {
  const { maxRatio, minRatio, maxMore, sameLegs, near, atMost } = plan;
  const words: string[] = [];
  if (near !== undefined) {
    words.push(`${near.value} ± ${near.tolerance} ${unit}`);
  }
  if (atMost !== undefined) {
    words.push(`<= ${atMost} ${unit}`);
  }
  if (maxRatio !== undefined) {
    words.push(`<= ${maxRatio.toFixed(2)}`);
  }
  if (minRatio !== undefined) {
    words.push(`>= ${minRatio.toFixed(2)}`);
  }
  if (maxMore !== undefined) {
    words.push(`<= + ${maxMore} ${unit}`);
  }
  if (sameLegs === true) {
    words.push('same legs');
  }
  return words.join(', ');
}

/** Of the samples that have it; nothing where none has. */
function medianOf(
  samples: readonly Sample[],
  which: 'relayMs' | 'cpuPerGb',
  digits: number,
): string {
  const values = samples.flatMap(({ [which]: value }) => (value === null ? [] : [value]));
  return values.length === 0 ? '' : median(values).toFixed(digits);
}

function samplesOf(outcome: Outcome | undefined): readonly Sample[] | null {
  return outcome !== undefined && 'samples' in outcome && outcome.samples.length > 0
    ? outcome.samples
    : null;
}

/** One number where all agree. */
function legsOf(samples: readonly Sample[]): string {
  const counts = new Set(samples.flatMap(({ legs }) => (legs === null ? [] : [legs])));
  return [...counts].sort((a, b) => a - b).join(' or ');
}
