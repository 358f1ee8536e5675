// Every target on its corpus, and for a moment on new inputs. What a failure prints reproduces it.
import { describe, expect, it } from 'vitest';
import { knownInputs } from './engine/corpus.ts';
import { fuzz } from './engine/fuzz.ts';
import { formatInput } from './engine/input-text.ts';
import type { Fault } from './engine/judge.ts';
import { judge } from './engine/judge.ts';
import { TARGETS } from './targets.ts';

/** Of each target: together about ten seconds. */
const MAX_MS = 200;
/** A new one each time; the input that a failure prints needs none. */
const SEED = Math.floor(Math.random() * 2 ** 32);

function describeFault({ kind, detail }: Fault, name: string, input: Buffer): string {
  return [
    `an input with seed ${SEED} ${kind}: ${detail}`,
    `Try it: npm run fuzz -- ${name} --input '${formatInput(input).replaceAll("'", "'\\''")}'`,
    `Mended, its line belongs into test/fuzz/regressions/${name}.txt: ${formatInput(input)}`,
  ].join('\n');
}

describe.each(TARGETS)('$name', (target) => {
  it('stands its corpus', () => {
    const faults = knownInputs(target).flatMap((input) => {
      const fault = judge(target, input);
      return fault === null ? [] : describeFault(fault, target.name, input);
    });
    expect(faults).toEqual([]);
  });

  it(`stands ${MAX_MS} ms of new inputs`, () => {
    const { executions, findings } = fuzz(target, {
      seed: SEED,
      known: knownInputs(target),
      maxMs: MAX_MS,
    });
    expect(findings.map((one) => describeFault(one, target.name, one.input))).toEqual([]);
    expect(executions).toBeGreaterThan(0);
  });
});

it('has targets of different names', () => {
  expect(new Set(TARGETS.map(({ name }) => name)).size).toBe(TARGETS.length);
});
