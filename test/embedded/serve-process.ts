// `sallyport serve` as a process of its own, with a home and a state folder that nobody else has.
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MAIN } from './command.ts';
import { AS_ALICE, ownFolder } from './network.ts';
import { RawClient } from './raw-client.ts';

export const isRoot = process.geteuid?.() === 0;
/** Root's programs are admitted by name only. */
export const FOR_US: readonly string[] = isRoot ? ['--same-user'] : [];

export interface ServeStart {
  /** Standard error; default it is the test's own. `pipe` is read only by who asks for it. */
  readonly stderr?: 'pipe' | 'ignore' | 'inherit' | number;
  /** In front of `node`, such as `unshare`. */
  readonly under?: readonly string[];
  /** Its standard input, all of it. */
  readonly input?: string;
}

export class Serve implements AsyncDisposable {
  readonly folder = ownFolder('serve');
  readonly env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;

  constructor() {
    this.env = {
      PATH: process.env['PATH'],
      HOME: this.folder,
      SALLYPORT_STATE_DIR: join(this.folder, 'state'),
      ...AS_ALICE,
    };
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  get child(): ChildProcess {
    if (this.#child === null) {
      throw new Error('not started');
    }
    return this.#child;
  }

  /** Writes the configuration file of this user, whole. */
  configure(content: string | Readonly<Record<string, unknown>>): void {
    const folder = join(this.folder, '.config', 'sallyport');
    mkdirSync(folder, { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(join(folder, 'config.json'), text);
  }

  /** Starts whatever starts it. */
  spawn([command = '', ...words]: readonly string[]): void {
    this.#child = spawn(command, words, { env: this.env, stdio: ['pipe', 'ignore', 'ignore'] });
  }

  /**
   * Starts it on a free port.
   *
   * @returns the port
   */
  async start(
    args: readonly string[],
    { stderr = 'inherit', under = [], input }: ServeStart = {},
  ): Promise<number> {
    const words = [...under, process.execPath, MAIN, 'serve', '--json', '--listen', '0', ...args];
    const [command = '', ...rest] = words;
    this.#child = spawn(command, rest, {
      env: this.env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', stderr],
    });
    this.child.stdin?.end(input);
    const [line] = (await once(this.child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    return Number(new URL((JSON.parse(String(line)) as { url: string }).url).port);
  }

  async command(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(process.execPath, [MAIN, ...args], { env: this.env })).stdout;
  }

  /** @returns its exit code; `null` when a signal ended it */
  async ended(): Promise<number | null> {
    const { exitCode, signalCode } = this.child;
    if (exitCode === null && signalCode === null) {
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
  }
}

/** A page of its own, as a program of this user gets it. */
export async function pageOf(
  port: number,
  path: string,
  headers: readonly string[] = [],
): Promise<{ readonly status: number; readonly text: string; readonly head: string }> {
  await using client = await RawClient.to({ host: '127.0.0.1', port });
  client.send([`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...headers]);
  const { head, body } = await client.response('GET');
  return { status: head.status, text: body.toString(), head: JSON.stringify(head.headers.toRaw()) };
}

/** The samples of a Prometheus page, by `name{labels}`. */
export async function metricsOf(port: number): Promise<ReadonlyMap<string, number>> {
  const { text } = await pageOf(port, '/metrics');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Waits, as long as the test may last, until it is so. */
export async function until<Value>(
  look: () => Promise<Value | null> | Value | null,
): Promise<Value> {
  for (;;) {
    const seen = await look();
    if (seen !== null) {
      return seen;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
