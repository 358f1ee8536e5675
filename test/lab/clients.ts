// The product as the lab suites use it: an engine in this process, and the built command as its own process.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import type { SallyportOptions } from '../../src/upstream/settings.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { LAB } from './lab.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface LabUser {
  readonly typed: string;
  readonly password: string;
}

/** An engine for one user, with a gate of its own, deaf to the environment of the test run. */
export async function clientOf(
  { typed, password }: LabUser,
  options: SallyportOptions,
): Promise<Upstream> {
  const settings = await resolveSettings({
    user: typed,
    password,
    ca: LAB.ca,
    env: { HOME: '/nonexistent' },
    ...options,
  });
  return new Upstream(settings, new LogonGate());
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `sallyport` with nothing of this environment but what is given. */
export function sallyport(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<CommandResult> {
  return run([MAIN, ...args], env, input);
}

function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input: string,
): Promise<CommandResult> {
  const clean = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', SALLYPORT_CA: LAB.ca };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { env: { ...clean, ...env }, timeout: 60_000, encoding: 'latin1' },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : (error.code ?? -1);
        resolve({ code: Number(code), stdout, stderr: Buffer.from(stderr, 'latin1').toString() });
      },
    );
    child.stdin?.end(input);
  });
}

/** Runs a module on the built library in a process of its own; `createUpstream` and the like are at hand. */
export function runModule(
  text: string,
  env: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const names = 'connect, createUpstream, openTunnel, request, resolveProxy';
  const source = `import { ${names} } from ${JSON.stringify(library)};\n${text}`;
  return run(['--input-type=module', '-e', source], env, '');
}

export async function readText(stream: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString();
}
