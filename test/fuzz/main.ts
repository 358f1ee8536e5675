// `npm run fuzz`: fuzzes at length, keeps what it learns in `corpus/`, and saves inputs that show a fault. Owns arguments and
// output.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { knownInputs, readInputs, writeCorpus } from './engine/corpus.ts';
import type { Finding } from './engine/fuzz.ts';
import { fuzz, minimise } from './engine/fuzz.ts';
import { formatInput, parseInput } from './engine/input-text.ts';
import { judge } from './engine/judge.ts';
import type { FuzzTarget } from './engine/target.ts';
import { TARGETS } from './targets.ts';

const USAGE = `Usage: npm run fuzz -- [target...] [--minutes N] [--seed N]
       npm run fuzz -- target --replay FILE
       npm run fuzz -- target --input TEXT
Targets: ${TARGETS.map(({ name }) => name).join(', ')}
`;
/** For all targets together. */
const DEFAULT_MINUTES = 5;
const FINDINGS = join(process.cwd(), 'build', 'fuzz-findings');

process.exitCode = main(process.argv.slice(2));

/** Returns the exit code: 1 with findings, 2 for a command line that cannot be understood. */
function main(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
      seed: { type: 'string' },
      replay: { type: 'string' },
      input: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const chosen = TARGETS.filter(({ name }) => positionals.includes(name));
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  const isUnderstood =
    chosen.length === positionals.length && minutes > 0 && Number.isInteger(seed);
  const [target] = chosen;
  const { replay, input } = values;
  const isReplay = replay !== undefined || input !== undefined;
  if (!isUnderstood || values.help || (isReplay && chosen.length !== 1)) {
    say(USAGE);
    return values.help ? 0 : 2;
  }
  if (isReplay && target !== undefined) {
    return judgeAll(target, replay === undefined ? [parseInput(input ?? '')] : readInputs(replay));
  }
  return fuzzAll(chosen.length === 0 ? TARGETS : chosen, seed, minutes * 60_000);
}

function fuzzAll(targets: readonly FuzzTarget[], seed: number, totalMs: number): number {
  let count = 0;
  for (const target of targets) {
    const known = knownInputs(target);
    const { executions, findings, pool } = fuzz(target, {
      seed,
      known,
      maxMs: totalMs / targets.length,
    });
    const kept = minimise(target, pool);
    writeCorpus(target, kept);
    const bytes = kept.reduce((sum, { length }) => sum + length, 0);
    say(
      `${target.name}: ${executions} inputs with seed ${seed}, ${kept.length} kept (${bytes} bytes)\n`,
    );
    for (const [index, finding] of findings.entries()) {
      tell(target, finding, `${target.name}-${seed}-${index}`);
    }
    count += findings.length;
  }
  return count === 0 ? 0 : 1;
}

function tell(target: FuzzTarget, { kind, detail, input }: Finding, name: string): void {
  mkdirSync(FINDINGS, { recursive: true });
  const file = join(FINDINGS, `${name}.txt`);
  writeFileSync(file, `${formatInput(input)}\n`);
  say(`  ${kind}: ${detail}\n  npm run fuzz -- ${target.name} --replay ${file}\n`);
}

function judgeAll(target: FuzzTarget, inputs: readonly Buffer[]): number {
  const faults = inputs.flatMap((input) => judge(target, input) ?? []);
  for (const { kind, detail } of faults) {
    say(`${kind}: ${detail}\n`);
  }
  say(faults.length === 0 ? 'No fault.\n' : '');
  return faults.length === 0 ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(text);
}
