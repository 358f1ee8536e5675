// What the operating system's sign-on costs a process that uses it, and whether one that does not is spared: fresh
// processes with and without it, each asked at its end.
import { LAB } from '../test/lab/lab.ts';
import type { Sample } from './contender.ts';
import { sampleOf } from './contender.ts';
import { runProcess } from './run-process.ts';
import type { Scenery } from './scenery.ts';
import { sceneryOf } from './scenery.ts';

export interface NativeCostInput {
  /** A folder of this run. */
  readonly scratch: string;
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
}

/** What FFI and the security library may add to a process that uses them. */
const MAX_NATIVE_MS = 30;
/** The file name of koffi begins so on every platform. */
const FFI_LIBRARY = /koffi/;

/** The rows of fresh processes: the library alone, with what reads SPNEGO, with the security library of the system. */
export async function prepareNativeCost(input: NativeCostInput): Promise<Scenery> {
  const load = (path: string): string =>
    `await import(${JSON.stringify(new URL(path, input.dist).href)})`;
  const library = `${load('index.js')};`;
  const spnego = `${library} ${load('spnego/neg-token.js')};`;
  const native = `${library} await (${load('native/security-provider.js')}).loadSecurityProvider();`;
  const env = environment(input);
  const scenery = sceneryOf(
    [
      {
        name: 'library',
        contender: {
          title: 'a process that imports Sallyport',
          measure: () => processTime(library, env),
        },
      },
      {
        ...{ name: 'spnego', against: 'library', isDifference: true },
        contender: {
          title: 'the same, and what reads SPNEGO, without FFI',
          measure: () => processTime(spnego, env),
        },
      },
      {
        ...{ name: 'native', against: 'library', maxMore: MAX_NATIVE_MS },
        contender: {
          title: 'the same, with FFI and the security library',
          measure: () => processTime(native, env, { mustLoad: true }),
        },
      },
    ],
    'load',
  );
  const claim = { title: 'get with a password loads no FFI', isTrue: () => isSpared(input) };
  return { ...scenery, claims: [claim] };
}

/**
 * Through the NTLM squid, name and password given, all the way to a file of the origin.
 *
 * @throws Error when the command fails
 */
async function isSpared(input: NativeCostInput): Promise<boolean> {
  const { proxies, origins, users, files } = LAB;
  const main = new URL('cli/main.js', input.dist).pathname;
  const url = `${origins.http}/${files.small.name}`;
  const args = ['--import', PROBE, main, 'get', '--proxy', proxies.ntlm.url, url];
  const { typed: SALLYPORT_USER, password: SALLYPORT_PASSWORD } = users.alice;
  const env = { ...environment(input), SALLYPORT_USER, SALLYPORT_PASSWORD };
  const { code, stderr } = await runProcess(process.execPath, args, { env });
  if (code !== 0) {
    throw new Error(`sallyport ended with ${code}: ${stderr.trim().split('\n')[0]}`);
  }
  return !wordsOf(stderr).hasFfi;
}

function environment({ scratch }: NativeCostInput): NodeJS.ProcessEnv {
  const { PATH, KRB5_CONFIG, KRB5CCNAME } = process.env;
  return { PATH, KRB5_CONFIG, KRB5CCNAME, HOME: scratch };
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
  const { code, stderr } = await runProcess(process.execPath, args, { env });
  if (code !== 0) {
    throw new Error(stderr.split('\n').find((line) => /Error/.test(line)) ?? `node: ${code}`);
  }
  const { cpuMs, hasFfi } = wordsOf(stderr);
  if (hasFfi !== mustLoad) {
    throw new Error(mustLoad ? 'No FFI was loaded' : 'FFI was loaded without need');
  }
  return sampleOf(cpuMs);
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
