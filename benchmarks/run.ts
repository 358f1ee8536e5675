// One run: measures the sections that were asked for and turns what came out into the table.
import { race } from './contender.ts';
import { Relays } from './relays.ts';
import type { Section } from './report.ts';
import { claimRow, rowOf } from './report.ts';
import type { RawSection } from './results.ts';
import type { SectionPlan } from './sections.ts';

export interface RunInput {
  readonly sections: readonly SectionPlan[];
  readonly isQuick: boolean;
  /** A folder that lives as long as the run. */
  readonly scratch: string;
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
  /** Told before each section, because a full run takes minutes. */
  readonly tell: (title: string) => void;
}

export interface RunResult {
  readonly sections: readonly Section[];
  readonly raw: readonly RawSection[];
}

/** @throws Error when something fails that was fine in the round before the first */
export async function runBench(input: RunInput): Promise<RunResult> {
  await using relays = new Relays();
  const sections: Section[] = [];
  const raw: RawSection[] = [];
  for (const plan of input.sections) {
    input.tell(plan.title);
    const { section, rawSection } = await runSection(plan, input, relays);
    sections.push(section);
    raw.push(rawSection);
  }
  return { sections, raw };
}

async function runSection(plan: SectionPlan, input: RunInput, relays: Relays) {
  const { letter, title, unit } = plan;
  await using scenery = await plan.prepare({ ...input, relays });
  const rounds = plan.rounds[input.isQuick ? 'quick' : 'full'];
  const outcomes = await race(scenery.contenders, rounds);
  const names = new Map(scenery.plans.map(({ id }, at) => [id, `${letter}${at + 1}`]));
  const rows = scenery.plans.map((row) => rowOf(row, unit, outcomes, names));
  for (const { title: claim, isTrue } of scenery.claims ?? []) {
    rows.push(await claimRow(`${letter}${rows.length + 1}`, claim, isTrue));
  }
  return {
    section: { title, unit, rows },
    rawSection: {
      ...{ key: plan.key, title, unit },
      rows: scenery.plans.map((row) => ({
        ...{ id: row.id, name: names.get(row.id) ?? '', title: row.title },
        against: row.against ?? null,
        outcome: outcomes.get(row.id) ?? { unavailable: 'not measured' },
      })),
    },
  };
}
