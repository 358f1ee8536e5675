// What a test program wrote: a JSON object a line, when it ended well.
import { expect } from 'vitest';

/** Fails the test when the program failed or complained. */
export function outcomesOf<Outcome>(run: {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}): Outcome[] {
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome);
}
