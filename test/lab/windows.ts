// Runs the Windows build of Node under Wine: the built product, or TypeScript of the test folder, on files of their own.
// Owns the manners Wine needs; what is run and expected belongs to the suites.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAB } from './lab.ts';
import { BEGUN, stagedApp, stageProgram } from './staging.ts';

const WINE = join(LAB.directory, 'wine');
const AS_ALICE = fileURLToPath(new URL('./as-alice.sh', import.meta.url));

/** The users a Windows program may be: alice has her own uid, ticket and NTLM credentials in winbind. */
export type WindowsUser = 'root' | 'alice';

export interface WindowsRun {
  readonly node: '20' | '22';
  readonly as?: WindowsUser;
  /** `dist/...` is the built product; a TypeScript file below test/ by its path from the root of the project. */
  readonly program: string;
  readonly args?: readonly string[];
  /** Beside KRB5_CONFIG and KRB5CCNAME, which every run has (alice her own ticket). */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
}

export interface CmdRun extends Pick<WindowsRun, 'as' | 'env' | 'timeoutMs'> {
  /** As it stands in a batch file. */
  readonly line: string;
  /** Files of the working directory, by name. */
  readonly planted?: Readonly<Record<string, string>>;
}

export interface WindowsResult {
  /** `null` when the time ran out. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Wine that ends before Node began (exit 1, not a word, seen once in some thousand starts) is started this often. */
const STARTS = 3;

/**
 * Runs a program on Windows Node and waits for its end. It works in a folder of its own and sees this machine's files
 * as `Z:`. Starting takes 0.3 s, 0.8 s when the last run is 3 s ago; one program with many cases is quicker than many.
 */
export async function runOnWindows(run: WindowsRun): Promise<WindowsResult> {
  const { args = [] } = run;
  const app = stagedApp();
  const program = stageProgram(app, run.program);
  const node = join(WINE, `node${run.node}`, 'bin', 'node.exe');
  const shim = join(app, 'keep-alive.cjs');
  const words = [node, '--require', windowsPath(shim), join(app, program), ...args];
  return await untilBegun(() => startOnWindows(words, run));
}

/** Runs a line by cmd.exe; it must start a Node that requires `keep-alive.cjs` of the staged app. */
export async function cmdOnWindows({ line, planted, ...run }: CmdRun): Promise<WindowsResult> {
  const files = { ...planted, 'line.cmd': `@${line}\r\n` };
  return await untilBegun(() =>
    startOnWindows(['cmd', '/c', 'line.cmd'], { ...run, planted: files }),
  );
}

async function untilBegun(
  startOnce: () => Promise<{ result: WindowsResult; hasBegun: boolean }>,
): Promise<WindowsResult> {
  for (let start = 1; ; start++) {
    const { result, hasBegun } = await startOnce();
    if (hasBegun || result.code === null || start === STARTS) {
      return result;
    }
    process.stderr.write(`Wine ended with ${result.code} before Node began; started again\n`);
  }
}

async function startOnWindows(
  words: readonly string[],
  run: Pick<WindowsRun, 'as' | 'env' | 'input' | 'timeoutMs'> & Pick<CmdRun, 'planted'>,
): Promise<{ result: WindowsResult; hasBegun: boolean }> {
  const { as = 'root', input = '', timeoutMs = 60_000, planted = {} } = run;
  const folder = mkdtempSync(join(stagedApp(), 'run-'));
  chmodSync(folder, 0o777);
  for (const [name, content] of Object.entries({ in: input, ...planted })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const [stdin, stdout, stderr] = [
    openSync(join(folder, 'in'), 'r'),
    openSync(join(folder, 'out'), 'w'),
    openSync(join(folder, 'err'), 'w'),
  ];
  try {
    // The lock is shared by what runs and is what endWindows() waits for; -o keeps it from wineserver.
    const locked = ['flock', '-s', '-o', lockOf(as), 'wine', ...words];
    const [command = '', ...rest] = asUser(as, locked, run.env?.['KRB5CCNAME']);
    const child = spawn(command, rest, {
      cwd: folder,
      // What one run was refused must not bind the next.
      env: {
        ...environmentOf(as),
        SALLYPORT_STATE_DIR: windowsPath(join(folder, 'state')),
        ...run.env,
      },
      stdio: [stdin, stdout, stderr],
      detached: true,
    });
    const code = await endOf(child, timeoutMs);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const result = { code, stdout: read('out'), stderr: read('err') };
    return { result, hasBegun: existsSync(join(folder, BEGUN)) };
  } finally {
    for (const file of [stdin, stdout, stderr]) {
      closeSync(file);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends the Wine services of both users at once, unless another suite uses them; left alone they end after 3 s. */
export async function endWindows(): Promise<void> {
  await Promise.all(
    (['root', 'alice'] as const).map(async (as) => {
      const command = ['flock', '-n', '-x', '-o', lockOf(as), 'wineserver', '-k'];
      const [program = '', ...rest] = asUser(as, command);
      const child = spawn(program, rest, { env: environmentOf(as), stdio: 'ignore' });
      await once(child, 'close');
    }),
  );
}

/** A path of this machine as Windows names it. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

/** Only the process group of this run is ended; wineserver then cleans up behind it. */
async function endOf(child: ReturnType<typeof spawn>, timeoutMs: number): Promise<number | null> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    if (child.pid !== undefined) {
      process.kill(-child.pid, 'SIGKILL');
    }
  }, timeoutMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return isLate ? null : code;
  } finally {
    clearTimeout(timer);
  }
}

/** as-alice.sh names her own ticket cache, whatever its environment says. */
function asUser(as: WindowsUser, command: readonly string[], tickets?: string): readonly string[] {
  if (as === 'root') {
    return command;
  }
  return [AS_ALICE, ...(tickets === undefined ? [] : ['env', `KRB5CCNAME=${tickets}`]), ...command];
}

function environmentOf(as: WindowsUser): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    // Wine's desktop menus would be made in a home folder, even in one that is not there.
    WINEDLLOVERRIDES: 'winemenubuilder.exe=d',
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    SALLYPORT_LAB_DIR: LAB.directory,
    WINEPREFIX: join(WINE, as === 'alice' ? 'prefix-alice' : 'prefix'),
    WINEDEBUG: '-all',
    ...LAB.environment,
  };
}

function lockOf(as: WindowsUser): string {
  const lock = join(WINE, `in-use-by-${as}`);
  if (!existsSync(lock)) {
    writeFileSync(lock, '');
    chmodSync(lock, 0o666);
  }
  return lock;
}
