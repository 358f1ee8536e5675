// The program `run` starts: its streams are those of this process, its signals come through here once, and its end is ours.
// Owns the process and the signals.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { withCallersVariables } from '../settings/callers-variables.ts';
import { underCallersLimit } from './callers-limit.ts';

/** How a program ended. */
export type ProgramEnd = { readonly code: number } | { readonly signal: NodeJS.Signals };

/** What a terminal sends to all of its foreground, the program with it: passed on, it would come twice. */
const FROM_TERMINALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR2'];

/**
 * Runs a program to its end. The standard streams are not looked at: Node would make pipes non-blocking, for the program,
 * too.
 *
 * @throws SallyportError PROGRAM_NOT_STARTED
 */
export async function runProgram(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ProgramEnd> {
  const child = await start(words, withCallersVariables(env));
  const stopPassing = passSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (cause) => reject(notStarted(words[0] ?? '', cause)));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? { code: code ?? 0 } : { signal }),
      );
    });
  } finally {
    stopPassing();
  }
}

/** Ends this process as the program ended, a signal included, so that a shell sees what it would have seen. */
export function endAs(end: ProgramEnd): number {
  if ('code' in end) {
    return end.code;
  }
  if (process.platform !== 'win32') {
    process.kill(process.pid, end.signal);
  }
  return 128 + constants.signals[end.signal];
}

async function start(words: readonly string[], env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  if (process.platform === 'win32') {
    const { windowsCommand } = await import('./windows-command.ts');
    const { file, args, isVerbatim, ...found } = windowsCommand(words, env);
    return spawn(file, args, {
      env: found.env,
      stdio: 'inherit',
      windowsVerbatimArguments: isVerbatim,
    });
  }
  const [command = '', ...args] = underCallersLimit(words, env['PATH']);
  return spawn(command, args, { env, stdio: 'inherit' });
}

function passSignals(child: ChildProcess): () => void {
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  const passUnlessSeen = (signal: NodeJS.Signals): void => {
    if (!hasTerminal()) {
      child.kill(signal);
    }
  };
  const handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ...FROM_TERMINALS.map((signal) => [signal, passUnlessSeen] as [NodeJS.Signals, typeof pass]),
    ...PASSED_ON.map((signal) => [signal, pass] as [NodeJS.Signals, typeof pass]),
  ];
  for (const [signal, handler] of handlers) {
    process.on(signal, handler);
  }
  return () => {
    for (const [signal, handler] of handlers) {
      process.off(signal, handler);
    }
  };
}

/** All three streams may lead elsewhere, and the terminal still send its signals. */
function hasTerminal(): boolean {
  if ([0, 1, 2].some((stream) => isatty(stream))) {
    return true;
  }
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function notStarted(command: string, cause: Error): SallyportError {
  const word = errorWord(cause);
  return new SallyportError('PROGRAM_NOT_STARTED', `${command} cannot be started (${word})`, {
    cause,
    hint:
      word === 'ENOENT'
        ? 'No program of that name was found on PATH.'
        : 'Check that it is a program you may run.',
  });
}
