// The inputs kept in the repository: `corpus/` is the fuzzer's and written anew, `regressions/` is written by people, one
// line for each defect that was mended. Owns the files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatInput, parseInput } from './input-text.ts';
import type { FuzzTarget } from './target.ts';

/** npm and vitest both run in the package's folder. */
const FOLDER = join(process.cwd(), 'test', 'fuzz');

/** Seeds, corpus and regressions, doubles left out; first of all the empty input. */
export function knownInputs(target: FuzzTarget): Buffer[] {
  const inputs = [
    Buffer.alloc(0),
    ...target.seeds.map((seed) => Buffer.from(seed)),
    ...readInputs(pathOf('corpus', target)),
    ...readInputs(pathOf('regressions', target)),
  ];
  return [...new Map(inputs.map((input) => [input.toString('latin1'), input])).values()];
}

/** Replaces the corpus of a target. */
export function writeCorpus(target: FuzzTarget, inputs: readonly Buffer[]): void {
  const lines = inputs.filter(({ length }) => length > 0).map(formatInput);
  const path = pathOf('corpus', target);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    [...new Set(lines)]
      .sort()
      .map((line) => `${line}\n`)
      .join(''),
  );
}

/** The inputs of a file: a line each, lines that begin with `#` are comments. None when there is no file. */
export function readInputs(path: string): Buffer[] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [];
    }
    throw error;
  }
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseInput);
}

function pathOf(kind: 'corpus' | 'regressions', { name }: FuzzTarget): string {
  return join(FOLDER, kind, `${name}.txt`);
}
