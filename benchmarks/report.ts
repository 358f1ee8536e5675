// From outcomes to rows with verdicts, and from rows to the table. Owns the arithmetic of a row and its words.
import type { Outcome, Sample } from './contender.ts';
import { reasonOf } from './contender.ts';
import { median, quantile } from './statistics.ts';

/** What a row shows and what it is held against. */
export interface RowPlan {
  readonly id: string;
  readonly title: string;
  /** The id of the row this one is divided by, or which is subtracted. */
  readonly against?: string;
  readonly maxRatio?: number;
  readonly maxMoreMs?: number;
  /** Subtracted, but without a target. */
  readonly isDifference?: boolean;
  /** The legs must be those of the other row, too. */
  readonly sameLegs?: boolean;
  /** The time itself must lie so near to this: only for what is no measurement but a check. */
  readonly near?: { readonly ms: number; readonly toleranceMs: number };
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
  /** To the row it is compared with. */
  readonly comparison: string;
  readonly target: string;
  readonly verdict: Verdict;
  /** Why there are no figures; `null` where there are. */
  readonly absence: string | null;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

/**
 * @param nameOf names of rows in the table, by id
 */
export function rowOf(
  plan: RowPlan,
  outcomes: ReadonlyMap<string, Outcome>,
  nameOf: ReadonlyMap<string, string>,
): Row {
  const name = nameOf.get(plan.id) ?? '';
  const target = targetOf(plan);
  const outcome = outcomes.get(plan.id);
  const own = samplesOf(outcome);
  if (own === null) {
    const absence = outcome !== undefined && 'unavailable' in outcome ? outcome.unavailable : '';
    const verdict = target === '' ? 'none' : 'unmeasured';
    return { ...EMPTY, name, title: plan.title, target, verdict, absence };
  }
  const times = own.map(({ ms }) => ms);
  const relayTimes = own.flatMap(({ relayMs }) => (relayMs === null ? [] : [relayMs]));
  return {
    ...{ name, title: plan.title, absence: null },
    relay: relayTimes.length === 0 ? '' : median(relayTimes).toFixed(1),
    samples: own.length,
    legs: legsOf(own),
    median: median(times).toFixed(1),
    spread: `${quantile(times, 0.1).toFixed(1)} to ${quantile(times, 0.9).toFixed(1)}`,
    target,
    ...compare(plan, own, samplesOf(outcomes.get(plan.against ?? '')), nameOf),
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

/** The table in Markdown, padded so that it reads as text, too. */
export function formatTable(sections: readonly Section[]): string {
  const header = ['', '', 'n', 'legs', 'ms', '10 % to 90 %', 'by relay', 'compared', 'target', ''];
  const lines = sections.flatMap(({ title, rows }) => [
    ['', `**${title}**`, ...header.slice(2).map(() => '')],
    ...rows.map((row) => [
      ...[row.name, row.title, row.samples === 0 ? '' : String(row.samples), row.legs, row.median],
      ...[row.spread, row.relay, row.absence === null ? row.comparison : 'not available'],
      ...[row.target, MARKS[row.verdict]],
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

const EMPTY = { samples: 0, legs: '', median: '', spread: '', relay: '', comparison: '' } as const;

const MARKS: Readonly<Record<Verdict, string>> = {
  none: '',
  met: 'met',
  missed: 'MISSED',
  unmeasured: 'not measured',
};

function compare(
  plan: RowPlan,
  own: readonly Sample[],
  other: readonly Sample[] | null,
  nameOf: ReadonlyMap<string, string>,
): Pick<Row, 'comparison' | 'verdict'> {
  const {
    against,
    maxRatio,
    maxMoreMs,
    sameLegs,
    near,
    isDifference = maxMoreMs !== undefined,
  } = plan;
  const mine = median(own.map(({ ms }) => ms));
  if (near !== undefined) {
    const isNear = Math.abs(mine - near.ms) <= near.toleranceMs;
    return { comparison: '', verdict: isNear ? 'met' : 'missed' };
  }
  const hasTarget = maxRatio !== undefined || maxMoreMs !== undefined;
  if (against === undefined || other === null) {
    return { comparison: '', verdict: hasTarget ? 'unmeasured' : 'none' };
  }
  const theirs = median(other.map(({ ms }) => ms));
  const name = nameOf.get(against) ?? against;
  const legsDiffer = sameLegs === true && legsOf(own) !== legsOf(other);
  const comparison = isDifference
    ? `${name} + ${(mine - theirs).toFixed(1)} ms`
    : `${(mine / theirs).toFixed(2)} of ${name}`;
  if (!hasTarget) {
    return { comparison, verdict: 'none' };
  }
  const isSlow =
    mine / theirs > (maxRatio ?? Number.POSITIVE_INFINITY) ||
    mine - theirs > (maxMoreMs ?? Number.POSITIVE_INFINITY);
  return { comparison, verdict: isSlow || legsDiffer ? 'missed' : 'met' };
}

function targetOf({ maxRatio, maxMoreMs, sameLegs, near }: RowPlan): string {
  const words: string[] = [];
  if (near !== undefined) {
    words.push(`${near.ms} ± ${near.toleranceMs} ms`);
  }
  if (maxRatio !== undefined) {
    words.push(`<= ${maxRatio.toFixed(2)}`);
  }
  if (maxMoreMs !== undefined) {
    words.push(`<= + ${maxMoreMs} ms`);
  }
  if (sameLegs === true) {
    words.push('same legs');
  }
  return words.join(', ');
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
