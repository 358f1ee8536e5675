// One run: which sections the table has, and how many rounds each gets.
import { LAB } from '../test/lab/lab.ts';
import type { Contender, Outcome } from './contender.ts';
import { race } from './contender.ts';
import { prepareDistance } from './distance.ts';
import type { NativeCostInput } from './native-cost.ts';
import { loadingContenders, loadsFfi } from './native-cost.ts';
import { preparePing } from './ping-contender.ts';
import { Relays } from './relays.ts';
import type { RowPlan, Section } from './report.ts';
import { claimRow, rowOf } from './report.ts';

export interface Rounds {
  readonly far: number;
  readonly near: number;
  readonly processes: number;
}
export const FULL: Rounds = { far: 50, near: 60, processes: 30 };
export const QUICK: Rounds = { far: 9, near: 15, processes: 7 };

export interface RunInput {
  readonly rounds: Rounds;
  /** A folder that lives as long as the run. */
  readonly scratch: string;
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
}

export interface RunResult {
  readonly sections: readonly Section[];
  /** The raw numbers, by the id of the contender. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

const RTT_MS = 20;
const PING_TOLERANCE_MS = 2;
/** What FFI and the security library may add to a process that uses them. */
const MAX_NATIVE_MS = 30;

/** @throws Error when something fails that was fine in the round before the first */
export async function runBench(input: RunInput): Promise<RunResult> {
  const { rounds } = input;
  const run = new Run();
  await using relays = new Relays();
  {
    await using ping = await preparePing(relays, RTT_MS);
    await using far = await prepareDistance({ ...input, relays, rttMs: RTT_MS });
    const near = { ms: RTT_MS, toleranceMs: PING_TOLERANCE_MS };
    await run.section(
      `CONNECT, ${RTT_MS} ms away`,
      rounds.far,
      [ping.contender, ...far.contenders],
      [{ id: ping.contender.id, title: ping.contender.title, near }, ...far.plans],
    );
  }
  {
    await using here = await prepareDistance({ ...input, relays, rttMs: 0 });
    await run.section('CONNECT, no distance, no relay', rounds.near, here.contenders, here.plans);
  }
  await run.section('Fresh processes, CPU time', rounds.processes, ...nativeRows(input));
  await run.claim('get with a password loads no FFI', () => isSpared(input));
  return run;
}

/** The table as it grows. */
class Run implements RunResult {
  readonly sections: Section[] = [];
  readonly outcomes = new Map<string, Outcome>();
  readonly #names = new Map<string, string>();

  async section(
    title: string,
    rounds: number,
    contenders: readonly Contender[],
    plans: readonly RowPlan[],
  ): Promise<void> {
    for (const [id, outcome] of await race(contenders, rounds)) {
      this.outcomes.set(id, outcome);
    }
    const letter = letterOf(this.sections.length);
    for (const [at, { id }] of plans.entries()) {
      this.#names.set(id, `${letter}${at + 1}`);
    }
    this.sections.push({
      title,
      rows: plans.map((plan) => rowOf(plan, this.outcomes, this.#names)),
    });
  }

  /** A row at the end of the last section that is true or not. */
  async claim(title: string, isTrue: () => Promise<boolean>): Promise<void> {
    const section = this.sections.pop();
    if (section !== undefined) {
      const name = `${letterOf(this.sections.length)}${section.rows.length + 1}`;
      const rows = [...section.rows, await claimRow(name, title, isTrue)];
      this.sections.push({ ...section, rows });
    }
  }
}

function letterOf(section: number): string {
  return String.fromCodePoint('A'.charCodeAt(0) + section);
}

function nativeRows(input: RunInput): [Contender[], RowPlan[]] {
  const { library, spnego, native } = loadingContenders(processInput(input));
  return [
    [library, spnego, native],
    [
      { id: library.id, title: library.title },
      { id: spnego.id, title: spnego.title, against: library.id, isDifference: true },
      { id: native.id, title: native.title, against: library.id, maxMoreMs: MAX_NATIVE_MS },
    ],
  ];
}

/** Through the NTLM squid, name and password given, all the way to a file of the origin. */
async function isSpared(input: RunInput): Promise<boolean> {
  const { proxies, origins, users, files } = LAB;
  const { dist, env } = processInput(input);
  const signedOn = { SALLYPORT_USER: users.alice.typed, SALLYPORT_PASSWORD: users.alice.password };
  const url = `${origins.http}/${files.small.name}`;
  const args = ['get', '--proxy', proxies.ntlm.url, url];
  return !(await loadsFfi({ dist, env: { ...env, ...signedOn } }, args));
}

function processInput({ dist, scratch }: RunInput): NativeCostInput {
  const { PATH, KRB5_CONFIG, KRB5CCNAME } = process.env;
  return { dist, env: { PATH, KRB5_CONFIG, KRB5CCNAME, HOME: scratch } };
}
