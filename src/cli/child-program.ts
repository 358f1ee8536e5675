// The program `run` starts: its streams are those of this process, its signals come through here once, and its end is ours.
// Owns the process and the signals.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { errorWord } from '../errors/error-word.ts';
import { SallyportError } from '../errors/sallyport-error.ts';

/** How a program ended. */
export type ProgramEnd = { readonly code: number } | { readonly signal: NodeJS.Signals };

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

/**
 * Runs a program to its end.
 *
 * @throws SallyportError PROGRAM_NOT_STARTED
 */
export async function runProgram(
  [command = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ProgramEnd> {
  const child = spawn(command, args, { env, stdio: 'inherit' });
  const stopPassing = passSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (cause) => reject(notStarted(command, cause)));
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

/** At a terminal Ctrl-C reaches the whole group, the program with it: passed on, it would come twice. */
function passSignals(child: ChildProcess): () => void {
  const atTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  const interrupted = (): void => {
    if (!atTerminal) {
      child.kill('SIGINT');
    }
  };
  process.on('SIGINT', interrupted);
  for (const signal of PASSED_ON) {
    process.on(signal, pass);
  }
  return () => {
    process.off('SIGINT', interrupted);
    for (const signal of PASSED_ON) {
      process.off(signal, pass);
    }
  };
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
