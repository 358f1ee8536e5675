// Runs a test program on this machine's Node with FreeRDP's WinPR at hand: a second SSPI, without Wine. In a process of
// its own, so that a crash of the library fails a test and not the run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stagedApp, stageProgram } from './staging.ts';

export const WINPR = 'libwinpr2.so.2';

export interface WinprRun {
  /** By its path from the root of the project. */
  readonly program: string;
  readonly input: string;
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** @returns exit code, or the signal that ended it, and what it wrote */
export async function runWithWinpr({ program, input, nodeOptions = [], env = {} }: WinprRun) {
  const app = stagedApp();
  const child = spawn(process.execPath, [...nodeOptions, join(app, stageProgram(app, program))], {
    // Preloaded, it stays until the last thread has ended: it leaves destructors in all it ran on. One arena for all
    // threads makes memory comparable.
    env: {
      ...{ PATH: process.env['PATH'], LD_PRELOAD: WINPR, WLOG_LEVEL: 'OFF', MALLOC_ARENA_MAX: '1' },
      ...env,
    },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined); // a process that crashed reads nothing
  child.stdin.end(input);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  return { code: code ?? signal, stdout, stderr };
}
