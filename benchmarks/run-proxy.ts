// The local proxy of `sallyport run` as users have it: a process of its own, whose program only tells where it listens.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface RunProxy extends AsyncDisposable {
  /** `http://x:TOKEN@127.0.0.1:port` */
  readonly url: string;
  readonly pid: number | undefined;
}

export interface RunProxyTask {
  /** Of the proxy that wants a sign-on. */
  readonly proxy: string;
  readonly user: { readonly typed: string; readonly password: string };
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
  readonly scratch: string;
  /** Further options of `run`. */
  readonly flags: readonly string[];
}

/** It ends when its standard input does. */
const PROGRAM = 'console.log(process.env.HTTPS_PROXY); process.stdin.resume();';

/** @throws Error when it does not start */
export async function startRunProxy({
  proxy,
  user,
  dist,
  scratch,
  flags,
}: RunProxyTask): Promise<RunProxy> {
  const main = fileURLToPath(new URL('cli/main.js', dist));
  const options = ['--proxy', proxy, '--user', user.typed, ...flags];
  const child = spawn(
    process.execPath,
    [main, 'run', ...options, '--', process.execPath, '-e', PROGRAM],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], HOME: scratch, SALLYPORT_PASSWORD: user.password },
    },
  );
  const ended = once(child, 'exit');
  const [first] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
  if (!(first instanceof Buffer)) {
    throw new Error('sallyport run does not start');
  }
  return {
    url: first.toString().trim(),
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
