// What a section measures: its contenders, the rows they make, and what has to end with it.
import type { Contender, Measurable } from './contender.ts';
import type { RowPlan } from './report.ts';

export interface Scenery extends AsyncDisposable {
  readonly contenders: readonly Contender[];
  /** The rows of the table, in its order. */
  readonly plans: readonly RowPlan[];
  /** Rows at the end that are true or not. */
  readonly claims?: readonly Claim[];
}

export interface Claim {
  readonly title: string;
  isTrue(): Promise<boolean>;
}

/** A row and who is measured for it, under a name that is unique in its section. */
export interface Entry extends Omit<RowPlan, 'id' | 'title'> {
  readonly name: string;
  readonly contender: Measurable;
}

/**
 * @param section makes the names unique in the run
 * @param live what ends with the section
 */
export function sceneryOf(
  entries: readonly Entry[],
  section: string,
  live?: AsyncDisposable,
): Scenery {
  const idOf = (name: string): string => `${name}-${section}`;
  return {
    contenders: entries.map(({ name, contender }) => ({ ...contender, id: idOf(name) })),
    plans: entries.map(({ name, contender: { title }, against, ...plan }) => ({
      ...plan,
      ...{ id: idOf(name), title },
      ...(against === undefined ? {} : { against: idOf(against) }),
    })),
    [Symbol.asyncDispose]: async () => live?.[Symbol.asyncDispose](),
  };
}

/** The same row, compared but not judged. */
export function withoutTarget({ name, contender, against }: Entry): Entry {
  return { name, contender, ...(against === undefined ? {} : { against }) };
}
