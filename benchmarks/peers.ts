// The local proxies that sign on as Sallyport does, each with how it is found and started. None is ever installed here: what
// is not on this machine is skipped by its name.
import { access, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { md4 } from 'hash-wasm';
import type { Command } from './local-proxy.ts';

export interface PeerTask {
  /** Of this run, for a configuration that may have the password in it. */
  readonly folder: string;
  /** `host:port` of the proxy that wants NTLM. */
  readonly proxy: string;
  readonly user: { readonly name: string; readonly domain: string; readonly password: string };
  /** Where it is to listen, on 127.0.0.1. */
  readonly port: number;
}

export interface Peer {
  readonly name: string;
  /** Names the program where it is not on the search path. */
  readonly variable: string;
  /** What prints its version, which follows its name there. */
  readonly versionArgs: readonly string[];
  command(program: string, task: PeerTask): Promise<Command>;
}

export const PEERS: readonly Peer[] = [
  { name: 'cntlm', variable: 'BENCH_CNTLM', versionArgs: ['-h'], command: cntlm },
  { name: 'px', variable: 'BENCH_PX', versionArgs: ['--help'], command: px },
  { name: 'alpaca', variable: 'BENCH_ALPACA', versionArgs: ['-version'], command: alpaca },
];

/**
 * @returns the path of its program
 * @throws Error when it is neither on the search path nor named by its variable
 */
export async function findPeer({ name, variable }: Peer): Promise<string> {
  const named = process.env[variable];
  if (named !== undefined && named !== '') {
    return named;
  }
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, name);
    if (
      await access(program, constants.X_OK).then(
        () => true,
        () => false,
      )
    ) {
      return program;
    }
  }
  throw new Error(`${name} is not on PATH, and ${variable} names none`);
}

async function cntlm(program: string, { folder, proxy, user, port }: PeerTask): Promise<Command> {
  const file = join(folder, `cntlm-${port}.conf`);
  const lines = [
    `Username ${user.name}`,
    `Domain ${user.domain}`,
    `Password ${user.password}`,
    'Auth NTLMv2',
    'Workstation BENCH',
    `Proxy ${proxy}`,
    `Listen 127.0.0.1:${port}`,
    'NoProxy none.invalid',
  ];
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return { program, args: ['-f', '-c', file], env: environment(folder) };
}

async function px(program: string, { folder, proxy, user, port }: PeerTask): Promise<Command> {
  const args = [
    `--server=${proxy}`,
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--username=${user.domain}\\${user.name}`,
    '--auth=NTLM',
  ];
  return { program, args, env: { ...environment(folder), PX_PASSWORD: user.password } };
}

/** As its source has it; nobody could try it here yet. */
async function alpaca(program: string, { folder, proxy, user, port }: PeerTask): Promise<Command> {
  const file = join(folder, `alpaca-${port}.pac`);
  await writeFile(file, `function FindProxyForURL() { return 'PROXY ${proxy}'; }\n`);
  const hash = await md4(Buffer.from(user.password, 'utf16le'));
  return {
    program,
    args: ['-p', String(port), '-C', `file://${file}`],
    env: { ...environment(folder), NTLM_CREDENTIALS: `${user.name}@${user.domain}:${hash}` },
  };
}

/** Neither this user's settings nor this machine's proxy variables. */
function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: folder };
}
