// One process from its start to its end: what it printed, how long it took and, on request, the CPU time it used.
import { spawn } from 'node:child_process';

export interface ProcessOptions {
  /** Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** For its standard input: a password is no argument. */
  readonly input?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From its start to its end. */
  readonly ms: number;
}

/** It is ended when it takes longer. */
const LIMIT_MS = 60_000;

/** @throws Error when the program cannot be started */
export function runProcess(
  command: string,
  args: readonly string[],
  { env = process.env, input = '' }: ProcessOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { env, stdio: 'pipe', timeout: LIMIT_MS });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => output.push(piece));
    child.stderr.on('data', (piece: Buffer) => errors.push(piece));
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', reject);
    child.on('close', (code) => {
      const ms = performance.now() - started;
      resolve({ code, ms, stdout: textOf(output), stderr: textOf(errors) });
    });
  });
}

export interface Timed extends Ended {
  readonly cpuMs: number;
}

const MARK = 'bench-cpu ';
/** Node does not tell what a child has used; a shell does. */
const SHELL = `TIMEFORMAT='${MARK}%U %S'; time "$0" "$@"`;

/** As `runProcess`, by way of a shell, which adds a millisecond or two. */
export async function runTimed(
  command: string,
  args: readonly string[],
  { env = process.env, ...options }: ProcessOptions = {},
): Promise<Timed> {
  const all = { ...options, env: { ...env, LC_ALL: 'C' } };
  const ended = await runProcess('bash', ['-c', SHELL, command, ...args], all);
  const place = ended.stderr.lastIndexOf(MARK);
  const [user = Number.NaN, system = Number.NaN] = ended.stderr
    .slice(place + MARK.length)
    .trim()
    .split(' ')
    .map(Number);
  if (place === -1 || Number.isNaN(user + system)) {
    throw new Error('bash did not tell the CPU time');
  }
  return { ...ended, stderr: ended.stderr.slice(0, place), cpuMs: (user + system) * 1000 };
}

function textOf(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString();
}
