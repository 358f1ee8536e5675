// Runs the Windows build of Node under Wine: the built product, or TypeScript of the test folder, on files of their own.
// Owns the staging of both and the manners Wine needs; what is run and expected belongs to the suites.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { LAB } from './lab.ts';

const WINE = join(LAB.directory, 'wine');
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** `SALLYPORT_LAB_DIST` names another build than dist/. */
const DIST = process.env['SALLYPORT_LAB_DIST'] ?? join(ROOT, 'dist');
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

export interface WindowsResult {
  /** `null` when the time ran out. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program on Windows Node and waits for its end. It works in a folder of its own and sees this machine's files
 * as `Z:`. Starting takes 0.3 s, 0.8 s when the last run is 3 s ago; one program with many cases is quicker than many.
 */
export async function runOnWindows(run: WindowsRun): Promise<WindowsResult> {
  const { as = 'root', args = [], input = '', timeoutMs = 60_000 } = run;
  const app = stagedApp();
  const program = run.program.startsWith('dist/') ? run.program : stageTest(app, run.program);
  const folder = mkdtempSync(join(app, 'run-'));
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, 'in'), input);
  const [stdin, stdout, stderr] = [
    openSync(join(folder, 'in'), 'r'),
    openSync(join(folder, 'out'), 'w'),
    openSync(join(folder, 'err'), 'w'),
  ];
  try {
    const node = join(WINE, `node${run.node}`, 'bin', 'node.exe');
    const shim = join(app, 'keep-alive.cjs');
    const wine = ['wine', node, '--require', windowsPath(shim), join(app, program), ...args];
    // The lock is shared by what runs and is what endWindows() waits for; -o keeps it from wineserver.
    const locked = ['flock', '-s', '-o', lockOf(as), ...wine];
    const [command = '', ...rest] = asUser(as, locked, run.env?.['KRB5CCNAME']);
    const child = spawn(command, rest, {
      cwd: folder,
      env: { ...environmentOf(as), ...run.env },
      stdio: [stdin, stdout, stderr],
      detached: true,
    });
    const code = await endOf(child, timeoutMs);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { code, stdout: read('out'), stderr: read('err') };
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

/**
 * A copy of the build and its packages that alice can read, too, with koffi for Windows: one folder for each state of
 * the build. Others of the same build are removed.
 */
function stagedApp(): string {
  const stamp = Math.floor(newestChange(DIST)).toString(36);
  const build = `app-${Buffer.from(DIST).toString('hex').slice(-32)}`;
  const app = join(WINE, `${build}-${stamp}`);
  if (existsSync(app)) {
    return app;
  }
  for (const name of readdirSync(WINE)) {
    if (name.startsWith(`${build}-`)) {
      rmSync(join(WINE, name), { recursive: true, force: true });
    }
  }
  const partial = mkdtempSync(join(WINE, 'staging-'));
  cpSync(DIST, join(partial, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(partial, 'package.json'));
  for (const name of productionPackages()) {
    cpSync(join(ROOT, 'node_modules', name), join(partial, 'node_modules', name), {
      recursive: true,
    });
  }
  const koffi = join(partial, 'node_modules/@koromix/koffi-win32-x64');
  cpSync(join(WINE, 'koffi-win32-x64'), koffi, { recursive: true });
  // Wine 8 has no TCP_KEEPIDLE: a connect after setKeepAlive() fails with UNKNOWN.
  writeFileSync(
    join(partial, 'keep-alive.cjs'),
    "require('node:net').Socket.prototype.setKeepAlive = function () { return this; };\n",
  );
  chmodSync(partial, 0o755);
  renameSync(partial, app);
  return app;
}

/** In milliseconds; the folder's own time shows that files went. */
function newestChange(folder: string): number {
  let newest = statSync(folder).mtimeMs;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

/** Names of the packages the product needs at run time, without the ones for other platforms. */
function productionPackages(): Set<string> {
  const found = new Set<string>();
  const follow = (folder: string): void => {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as { dependencies?: Record<string, string> };
    for (const name of Object.keys(dependencies)) {
      if (!found.has(name)) {
        found.add(name);
        follow(join(ROOT, 'node_modules', name));
      }
    }
  };
  follow(ROOT);
  return found;
}

/**
 * A test program and the test files it imports, as JavaScript beside the build; imports of `src/` become `dist/`.
 *
 * @param path from the root of the project
 * @returns where it lies in the app
 */
function stageTest(app: string, path: string): string {
  const source = readFileSync(join(ROOT, path), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
    },
  });
  const target = path.replace(/\.ts$/, '.js');
  const text = outputText.replaceAll(/(['"])((?:\.\.\/)+)src\//g, '$1$2dist/');
  mkdirSync(join(app, target, '..'), { recursive: true });
  writeFileSync(join(app, target), text);
  for (const [, imported = ''] of source.matchAll(/^import (?!type).*?['"](\.[^'"]+)['"];$/gmsu)) {
    const file = join(path, '..', imported);
    if (file.startsWith('test/')) {
      stageTest(app, file);
    }
  }
  return target;
}
