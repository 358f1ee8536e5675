// Asks a program of the operating system and waits for it a limited time. Owns the child process: no shell, no standard
// input, an absolute path, never the working directory.
import { execFile } from 'node:child_process';

/** What is on standard output, or why there is nothing. */
export type CommandOutput = { readonly output: string } | { readonly problem: string };

/** Tests bring their own. */
export type RunCommand = (
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
) => Promise<CommandOutput>;

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Never rejects. The program is killed when its time is over. */
export const runCommand: RunCommand = (file, args, env, timeoutMs) =>
  new Promise((resolve) => {
    const child = execFile(
      file,
      [...args],
      {
        env: withoutOurs(env),
        cwd: '/',
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
      },
      (error, output) => resolve(error === null ? { output } : { problem: explain(file, error) }),
    );
    child.stdin?.end();
    // Not there to be killed, and not there to answer.
    child.stdin?.on('error', () => undefined);
  });

/** SALLYPORT_PASSWORD and its like are nobody else's. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^sallyport_/i.test(name)));
}

function explain(file: string, error: Error & { killed?: boolean | undefined; code?: unknown }) {
  return error.killed ? `${file} did not answer in time` : `${file} failed (${String(error.code)})`;
}
