// `npm run fuzz`: fuzzes at length, keeps what it learns in `corpus/`, and saves inputs that show a fault. Owns arguments and
// output.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArguments, runTool, UsageError } from '../tool-arguments.ts';
import { knownInputs, readInputs, writeCorpus } from './engine/corpus.ts';
import type { Finding } from './engine/fuzz.ts';
import { fuzz, minimise } from './engine/fuzz.ts';
import { formatInput, parseInput } from './engine/input-text.ts';
import { judge } from './engine/judge.ts';
import type { FuzzTarget } from './engine/target.ts';
import { TARGETS } from './targets.ts';

/** For all targets together. */
const DEFAULT_MINUTES = 5;
const FINDINGS = join(process.cwd(), 'build', 'fuzz-findings');

const USAGE = `npm run fuzz -- [TARGET]... [--minutes N] [--seed N]
npm run fuzz -- TARGET --replay FILE
npm run fuzz -- TARGET --input TEXT

  TARGET         a parser by its name below; all of them unless told
  --minutes N    for all targets together, ${DEFAULT_MINUTES} unless told; 0.5 is half a minute
  --seed N       the run with this whole number again
  --replay FILE  runs the inputs of a file, one a line, as build/fuzz-findings/ has them, and says what is wrong
  --input TEXT   the same for one input in that form

Examples:
  npm run fuzz -- --minutes 10
  npm run fuzz -- ntlm-challenge http1-body --minutes 2 --seed 7
  npm run fuzz -- http1-body --replay build/fuzz-findings/http1-body-7-0.txt
  npm run fuzz -- http1-body --input 'a\\r\\n'

The exit code is 0 without a fault, 1 with one, 2 for a command line that cannot be understood.
Targets: ${TARGETS.map(({ name }) => name).join(', ')}
`;

await runTool('fuzz', () => main(process.argv.slice(2)));

/** @returns the exit code: 1 with findings. @throws UsageError */
function main(args: string[]): number {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
      seed: { type: 'string' },
      replay: { type: 'string' },
      input: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const chosen = TARGETS.filter(({ name }) => positionals.includes(name));
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const stranger = positionals.find((word) => !TARGETS.some(({ name }) => name === word));
  if (stranger !== undefined) {
    throw new UsageError(`There is no target ${stranger}.`);
  }
  if (!(minutes > 0)) {
    throw new UsageError('--minutes is a number above 0.');
  }
  if (!Number.isInteger(seed)) {
    throw new UsageError('--seed is a whole number.');
  }
  const [target] = chosen;
  const { replay, input } = values;
  const isReplay = replay !== undefined || input !== undefined;
  if (isReplay && chosen.length !== 1) {
    throw new UsageError('--replay and --input want one target.');
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
