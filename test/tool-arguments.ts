// Command lines of the tools of this repository (fuzz, soak, bench, demo). Owns the form of what cannot be understood: one
// line on standard error, and exit code 2.
import type { ParseArgsConfig } from 'node:util';
import { parseArgs } from 'node:util';

/** Of whoever typed it. Its message is a sentence with its full stop. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError for an option there is none of, or one without its value */
export function parseArguments<T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const [first = ''] = (error as Error).message.split(/\.? (?:To specify|Did you)|\n/);
    throw new UsageError(`${first}.`, { cause: error });
  }
}

/**
 * Runs a tool and sets the exit code of this process.
 *
 * @param name of its script: `npm run NAME`
 * @param describe what is said of a failure that is no UsageError
 */
export async function runTool(
  name: string,
  main: () => number | Promise<number>,
  describe: (error: unknown) => string = messageOf,
): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const text = isUsage ? `${error.message} Try npm run ${name} -- --help.` : describe(error);
    process.stderr.write(`${name}: ${text}\n`);
    process.exitCode = isUsage ? 2 : 1;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
