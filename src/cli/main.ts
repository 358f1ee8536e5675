#!/usr/bin/env node
// The command line: reads argv, runs one command, ends with its exit code. Nothing else in Sallyport exits.
import { Command, CommanderError } from 'commander';
import { exitWithoutWaiting, hasNativeCallsUnderWay } from '../native/ffi.ts';
import { VERSION } from '../observe/version.ts';
import { Ended } from './ended.ts';
import { EXIT_CODES, EXIT_CODES_HELP, EXIT_OK } from './exit-codes.ts';
import { print } from './print.ts';
import { reportFailure } from './report.ts';
import { usageError } from './usage-error.ts';

/** In the order of `--help`. Each is loaded when it is meant, or when all are told of. */
const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<Command>>> = {
  get: async (argv) => (await import('./get.ts')).getCommand(argv),
  run: async () => (await import('./run.ts')).runCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  env: async () => (await import('./env.ts')).envCommand(),
  which: async () => (await import('./which.ts')).whichCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  retry: async () => (await import('./retry.ts')).retryCommand(),
  login: async () => (await import('./login.ts')).loginCommand(),
  logout: async () => (await import('./logout.ts')).logoutCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  trust: async () => (await import('./trust.ts')).trustCommand(),
};

const EXAMPLES = `
Examples:
  sallyport get https://example.com/file.zip -o file.zip   # downloads, signed on as you
  sallyport run -- npm ci   # another program through the proxy
  sallyport which https://example.com/   # the proxy, and who named it
  sallyport doctor https://example.com/   # what works and what does not
  sallyport get --help   # options and more examples of one command
`;

void main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  // A reader that goes away is told by the write that fails, not by a crash.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const { exitCode: code, isStuck } = await run(argv);
  process.exitCode = code;
  if (isStuck || hasNativeCallsUnderWay()) {
    // Given up, but not to be ended: a domain controller that is silent would hold the command for half a minute.
    process.stdout.write('', () => exitWithoutWaiting(code));
  }
}

async function run(argv: readonly string[]): Promise<Pick<Ended, 'exitCode' | 'isStuck'>> {
  try {
    return { exitCode: await runCommand(argv), isStuck: false };
  } catch (error) {
    if (error instanceof Ended) {
      return error;
    }
    const json = argv.includes('--json');
    const exitCode = reportFailure(error, { json, verbose: countVerbose(argv), argv });
    return { exitCode, isStuck: false };
  }
}

/** @throws SallyportError USAGE for what commander does not understand, and what the command throws */
async function runCommand(argv: readonly string[]): Promise<number> {
  const said = { out: '', err: '' };
  try {
    await (await program(said, argv)).parseAsync(argv, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    if (error.exitCode === 0) {
      await print(said.out);
      return EXIT_OK;
    }
    if (argv.length === 0) {
      // Its help, unasked.
      process.stderr.write(said.err);
      return EXIT_CODES.usage;
    }
    throw usageError(error, argv);
  }
}

/** @param said takes what commander would print: only whoever called knows whether it can be printed */
async function program(
  said: { out: string; err: string },
  argv: readonly string[],
): Promise<Command> {
  const command = new Command('sallyport')
    .description('Downloads through a corporate proxy that wants a sign-on')
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        said.out += text;
      },
      writeErr: (text) => {
        said.err += text;
      },
    })
    .addHelpText('after', EXAMPLES + EXIT_CODES_HELP);
  const [name = ''] = argv;
  const meant = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  for (const load of meant) {
    const sub = await load?.(argv);
    if (sub !== undefined) {
      command.addCommand(sub.copyInheritedSettings(command));
    }
  }
  return command;
}

function countVerbose(argv: readonly string[]): number {
  return argv
    .map((word) => (word === '--verbose' ? 1 : (/^-(v+)$/.exec(word)?.[1]?.length ?? 0)))
    .reduce((sum, count) => sum + count, 0);
}
