// Runs the built `sallyport` as a person would: its own process, nothing of the environment of the test run.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CA_FILE, SCRATCH } from './network.ts';

/** The command as built. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
if (!existsSync(MAIN)) {
  throw new Error('dist/ is missing: the command is tested as built, run `npm run build` first');
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** A shell redirection of standard output, such as `>/dev/full`. */
  readonly redirect?: string;
  /** The folder one is in. */
  readonly cwd?: string;
  /** Options of node itself. */
  readonly node?: readonly string[];
  /** Until it is killed; default 20 s. */
  readonly timeoutMs?: number;
  /** Another copy of the command. */
  readonly main?: string;
  /** Is given the way to send it a signal. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => unknown) => void;
}

const CLEAN = { PATH: process.env['PATH'] ?? '', HOME: SCRATCH, SALLYPORT_CA: CA_FILE };
/** Each run remembers nothing of the one before. */
let runs = 0;

export async function sallyport(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { env = {}, input = '', redirect = '', node = [], main = MAIN, cwd, onStart } = options;
  const { timeoutMs = 20_000 } = options;
  runs += 1;
  const words = [process.execPath, ...node, main, ...args];
  const child = spawn('sh', ['-c', `exec "$0" "$@" ${redirect}`, ...words], {
    env: { ...CLEAN, SALLYPORT_STATE_DIR: join(SCRATCH, `state-${runs}`), ...env },
    timeout: timeoutMs,
    cwd,
  });
  onStart?.((signal) => child.kill(signal));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (piece) => out.push(piece));
  child.stderr.on('data', (piece) => err.push(piece));
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}
