// How a failure is told: one line, what happened and what to do, and the number the command ends with. Owns the words
// round an error; never prints a stack unless asked twice.
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import { redactUrl } from '../observe/redact.ts';
import { EXIT_CODES } from './exit-codes.ts';

export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: number;
  /** The arguments as given, for the command a remedy names. */
  readonly argv: readonly string[];
}

/** Prints the failure and returns the exit code. */
export function reportFailure(failure: unknown, { json, verbose, argv }: ReportOptions): number {
  const error = isSallyportError(failure) ? failure : unexpected(failure);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: false, error })}\n`);
  }
  const parts = [error.message.replace(/\.?$/, '.')];
  if (error.hint !== undefined) {
    parts.push(error.hint);
  }
  if (error.remedy !== undefined) {
    parts.push(remedyCommand(argv, error.remedy));
  }
  process.stderr.write(`sallyport: ${parts.join(' ').replaceAll(/\s*\n\s*/g, ' ')}\n`);
  if (verbose >= 2) {
    process.stderr.write(`${failure instanceof Error ? failure.stack : String(failure)}\n`);
  }
  return EXIT_CODES[error.outcome];
}

/** The command that was given, with the options that would let it pass. */
export function remedyCommand(
  argv: readonly string[],
  remedy: Readonly<Record<string, string | true>>,
): string {
  const flags = Object.entries(remedy).map(
    ([name, value]) => [kebab(name), ...(value === true ? [] : [value])] as const,
  );
  const names = new Set(flags.map(([name]) => name));
  const kept: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (names.has(word.split('=')[0] ?? '')) {
      at += word.includes('=') ? 0 : 1;
      continue;
    }
    kept.push(word.includes('@') ? redactUrl(word) : word);
  }
  const [command = 'get', ...rest] = kept;
  return ['sallyport', command, ...flags.flat(), ...rest].map(quote).join(' ');
}

function kebab(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`;
}

function unexpected(failure: unknown): SallyportError {
  const message = failure instanceof Error ? failure.message : String(failure);
  return new SallyportError('UNEXPECTED', `Unexpected failure: ${message}`, {
    cause: failure,
    hint: 'This is a fault in Sallyport: please report it with the output of the same command and -vv.',
  });
}
