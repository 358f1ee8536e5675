#!/usr/bin/env node
// The command line: reads argv, runs one command, ends with its exit code. Nothing else in Sallyport exits.
import { Command, CommanderError } from 'commander';
import { exitWithoutWaiting, hasNativeCallsUnderWay } from '../native/ffi.ts';
import { VERSION } from '../observe/version.ts';
import { doctorCommand } from './doctor.ts';
import { Ended } from './ended.ts';
import { EXIT_CODES, EXIT_CODES_HELP, EXIT_OK } from './exit-codes.ts';
import { getCommand } from './get.ts';
import { loginCommand } from './login.ts';
import { logoutCommand } from './logout.ts';
import { reportFailure } from './report.ts';
import { retryCommand } from './retry.ts';
import { trustCommand } from './trust.ts';
import { whichCommand } from './which.ts';

void main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  // A reader that goes away is told by the write that fails, not by a crash.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const code = await run(argv);
  process.exitCode = code;
  if (hasNativeCallsUnderWay()) {
    // Given up, but not to be ended: a domain controller that is silent would hold the command for half a minute.
    process.stdout.write('', () => exitWithoutWaiting(code));
  }
}

async function run(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed what there is to say.
      return error.exitCode === 0 ? EXIT_OK : EXIT_CODES.usage;
    }
    if (error instanceof Ended) {
      return error.exitCode;
    }
    const json = argv.includes('--json');
    return reportFailure(error, { json, verbose: countVerbose(argv), argv });
  }
}

function program(): Command {
  const command = new Command('sallyport')
    .description('Downloads through a corporate proxy that wants a sign-on')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'sallyport: ')),
    })
    .showHelpAfterError('Try --help.')
    .addHelpText('after', EXIT_CODES_HELP);
  for (const sub of [
    getCommand(),
    whichCommand(),
    doctorCommand(),
    retryCommand(),
    loginCommand(),
    logoutCommand(),
    trustCommand(),
  ]) {
    command.addCommand(sub.copyInheritedSettings(command));
  }
  return command;
}

function countVerbose(argv: readonly string[]): number {
  return argv
    .map((word) => (word === '--verbose' ? 1 : (/^-(v+)$/.exec(word)?.[1]?.length ?? 0)))
    .reduce((sum, count) => sum + count, 0);
}
