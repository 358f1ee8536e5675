// What the operating system's sign-on costs a process that uses it, and whether one that does not is spared: fresh
// processes with and without it, each asked at its end.
import { spawn } from 'node:child_process';
import type { Contender, Sample } from './contender.ts';

/** Folder of the built package, as a `file:` URL that ends in a slash. */
export interface NativeCostInput {
  readonly dist: URL;
  readonly env: NodeJS.ProcessEnv;
}

/** The file name of koffi begins so on every platform. */
const FFI_LIBRARY = /koffi/;

/** Fresh processes: the library alone, with what reads SPNEGO, with the security library of the system. */
export function loadingContenders({ dist, env }: NativeCostInput): Record<Load, Contender> {
  const load = (path: string): string =>
    `await import(${JSON.stringify(new URL(path, dist).href)})`;
  const library = `${load('index.js')};`;
  const spnego = `${library} ${load('spnego/neg-token.js')};`;
  const native = `${library} await (${load('native/security-provider.js')}).loadSecurityProvider();`;
  return {
    library: {
      id: 'load-library',
      title: 'a process that imports Sallyport',
      measure: () => processTime(library, env),
    },
    spnego: {
      id: 'load-spnego',
      title: 'the same, and what reads SPNEGO, without FFI',
      measure: () => processTime(spnego, env),
    },
    native: {
      id: 'load-native',
      title: 'the same, with FFI and the security library',
      measure: () => processTime(native, env, { mustLoad: true }),
    },
  };
}

export type Load = 'library' | 'spnego' | 'native';

/**
 * Runs the command in a process of its own.
 *
 * @returns whether koffi was loaded when it ended
 * @throws Error when the command fails
 */
export async function loadsFfi(
  { dist, env }: NativeCostInput,
  args: readonly string[],
): Promise<boolean> {
  const main = new URL('cli/main.js', dist).pathname;
  const { code, stderr } = await runNode(['--import', PROBE, main, ...args], env);
  if (code !== 0) {
    throw new Error(`sallyport ended with ${code}: ${stderr.trim().split('\n')[0]}`);
  }
  return wordsOf(stderr).hasFfi;
}

const MARK = 'bench: ';
/** Tells at the end of a process what it has cost until then, in microseconds, and which libraries are in it. */
const PROBE = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs';
   process.report.excludeNetwork = true;
   process.once('exit', () => {
     const { user, system } = process.cpuUsage();
     const libraries = process.report.getReport().sharedObjects.join(' ');
     writeSync(2, ${JSON.stringify(MARK)} + (user + system) + ' ' + libraries + '\\n');
   });`,
)}`;

/** CPU time: that of the clock is mostly what the rest of the machine does meanwhile. */
async function processTime(
  script: string,
  env: NodeJS.ProcessEnv,
  { mustLoad = false } = {},
): Promise<Sample> {
  const args = ['--import', PROBE, '--input-type=module', '--eval', script];
  const { code, stderr } = await runNode(args, env);
  if (code !== 0) {
    throw new Error(stderr.split('\n').find((line) => /Error/.test(line)) ?? `node: ${code}`);
  }
  const { cpuMs, hasFfi } = wordsOf(stderr);
  if (hasFfi !== mustLoad) {
    throw new Error(mustLoad ? 'No FFI was loaded' : 'FFI was loaded without need');
  }
  return { ms: cpuMs, legs: null, relayMs: null };
}

/** What the probe wrote. */
function wordsOf(stderr: string): { readonly cpuMs: number; readonly hasFfi: boolean } {
  const line = stderr.split('\n').find((one) => one.startsWith(MARK));
  if (line === undefined) {
    throw new Error('The process did not tell what was in it');
  }
  return {
    cpuMs: Number.parseInt(line.slice(MARK.length), 10) / 1000,
    hasFfi: FFI_LIBRARY.test(line),
  };
}

function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const child = spawn(process.execPath, args, { env, stdio: [...stdio], timeout: 20_000 });
    const errors: Buffer[] = [];
    child.stderr.on('data', (piece: Buffer) => errors.push(piece));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr: Buffer.concat(errors).toString() }));
  });
}
