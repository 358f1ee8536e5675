// How a failure is told: one line, what happened and what to do, and the number the command ends with. Owns the words
// round an error; never prints a stack unless asked twice.
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { kebab } from './flags.ts';
import { printable } from './printable.ts';

export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: number;
  /** The arguments as given, for the command a remedy names. */
  readonly argv: readonly string[];
  /** What else the object of `--json` tells. */
  readonly about?: Readonly<Record<string, unknown>>;
  /** Which of several it was. */
  readonly which?: string;
}

/** Prints the failure and returns the exit code. */
export function reportFailure(failure: unknown, options: ReportOptions): number {
  const { json, verbose, argv, about = {}, which } = options;
  const error = isSallyportError(failure) ? failure : unexpected(failure);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: false, ...about, error })}\n`);
  }
  const parts = [...(which === undefined ? [] : [`${which}:`]), sentence(error.message)];
  if (error.hint !== undefined) {
    parts.push(error.hint);
  }
  if (error.remedy !== undefined) {
    parts.push(remedyCommand(argv, error.remedy));
  }
  tell(parts.join(' '));
  if (verbose >= 2) {
    process.stderr.write(`${failure instanceof Error ? failure.stack : String(failure)}\n`);
  }
  return EXIT_CODES[error.outcome];
}

/** Another try follows: whoever waits is told why, and whoever reads the log later. */
export function tellRetry(failure: unknown, waitMs: number, which: string): void {
  const what = sentence(failure instanceof Error ? failure.message : String(failure));
  const wait = `${Number((waitMs / 1000).toFixed(1))} s`;
  tell(`${what} Trying again in ${wait} (${which}).`);
}

/** One line about the outcome, on standard error. */
export function tell(text: string): void {
  process.stderr.write(`sallyport: ${printable(text)}\n`);
}

function sentence(text: string): string {
  return text.replace(/\.?$/, '.');
}

/** The command that was given, with the options that would let it pass; secrets of its words are hidden. */
export function remedyCommand(
  argv: readonly string[],
  remedy: Readonly<Record<string, string | true>>,
): string {
  const flags = Object.entries(remedy).map(
    ([name, value]) => [`--${kebab(name)}`, ...(value === true ? [] : [value])] as const,
  );
  const kept: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const replaced = flags.find(([name]) => name === word.split('=')[0]);
    if (replaced !== undefined) {
      at += word.includes('=') || replaced.length === 1 ? 0 : 1;
      continue;
    }
    const [, option, line] = HEADER_OPTION.exec(word) ?? [];
    if (option === undefined) {
      kept.push(hideUserInfo(word));
      continue;
    }
    if (line === '') {
      at += 1;
      kept.push(option, hideHeader(argv[at] ?? ''));
      continue;
    }
    kept.push(option + hideHeader(line ?? ''));
  }
  const [command = 'get', ...rest] = kept;
  return ['sallyport', command, ...flags.flat(), ...rest].map(quote).join(' ');
}

/** In all its spellings: `-H line`, `-Hline`, behind flags without a value as `-vH line`, `--header line`, `--header=line`. */
const HEADER_OPTION = /^(-[cv]*H|--header=|--header$)(.*)$/s;

/** Which headers hold a secret, nobody knows: the name stays. */
function hideHeader(line: string): string {
  return `${line.split(':')[0]}: ***`;
}

function hideUserInfo(word: string): string {
  return word.replace(/^((?:--proxy=)?[a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1***@');
}

/** Single quotes keep a POSIX shell from reading `$` and the like; cmd and PowerShell know double ones. */
function quote(word: string): string {
  if (/^[\w@%+=:,./*-]+$/.test(word)) {
    return word;
  }
  return process.platform === 'win32'
    ? `"${word.replaceAll('"', '\\"')}"`
    : `'${word.replaceAll("'", "'\\''")}'`;
}

function unexpected(failure: unknown): SallyportError {
  const message = failure instanceof Error ? failure.message : String(failure);
  return new SallyportError('UNEXPECTED', `Unexpected failure: ${message}`, {
    cause: failure,
    hint: 'This is a fault in Sallyport: please report it with the output of the same command and -vv.',
  });
}
