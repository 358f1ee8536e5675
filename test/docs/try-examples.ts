// Compiles examples against the built package as a program of a user's, and runs them and documented commands with other
// hosts. Owns how an example is tried; knows no proxy.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Example } from './examples.ts';
import { pathOf, read } from './markdown.ts';

/** Below the repository: there `import 'sallyport'` is the built package. */
const FOLDER = pathOf('build/examples');
const DEADLINE_MS = 30_000;
/** As a user may have it: strict, and no more. */
const CONFIG = {
  compilerOptions: {
    ...{ strict: true, target: 'es2023', lib: ['es2023', 'esnext.disposable'], types: ['node'] },
    ...{ module: 'nodenext', outDir: 'out', rootDir: '.' },
  },
  include: ['*.ts'],
};

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @returns the compiler's messages, each beginning with `file:line` of the page the example stands on */
export async function compileExamples(examples: readonly Example[]): Promise<string[]> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(CONFIG));
  for (const example of examples) {
    // Its lines are those of the page.
    const text = '\n'.repeat(example.line - 1) + example.text;
    writeFileSync(join(FOLDER, `${stemOf(example)}.ts`), text);
  }
  const tsc = pathOf('node_modules/.bin/tsc');
  const { stdout } = await run(tsc, ['-p', join(FOLDER, 'tsconfig.json'), '--pretty', 'false'], {
    cwd: FOLDER,
    env: process.env,
  });
  const messages = stdout.split('\n').filter((line) => line !== '');
  return messages.map((message) => {
    const found = /^(.+)\.ts\((\d+),\d+\): (.*)$/.exec(message);
    const example = examples.find((one) => stemOf(one) === found?.[1]);
    return example === undefined ? message : `${example.file}:${found?.[2]} ${found?.[3]}`;
  });
}

/** Runs a compiled example. @param rewrite what names hosts becomes what is here */
export function runExample(
  example: Example,
  rewrite: (text: string) => string,
  env: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const file = join(FOLDER, `out/${stemOf(example)}.js`);
  writeFileSync(file, rewrite(read(`build/examples/out/${stemOf(example)}.js`)));
  return run(process.execPath, [file], { cwd: FOLDER, env });
}

/**
 * Runs a command line as a shell would, both outputs in one. `sallyport` and `npx sallyport` are the built one.
 *
 * @param folder to run in; what the command reads lies there
 */
export function runCommandLine(
  command: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const bin = join(folder, '.bin');
  mkdirSync(bin, { recursive: true });
  const main = pathOf('dist/cli/main.js');
  script(join(bin, 'sallyport'), `exec '${process.execPath}' '${main}' "$@"`);
  script(join(bin, 'npx'), 'exec "$@"');
  const path = `${bin}:${process.env['PATH'] ?? ''}`;
  return run('sh', ['-c', `exec 2>&1\n${command}`], { cwd: folder, env: { ...env, PATH: path } });
}

export function placeOf({ file, line }: Example): string {
  return `${file}:${line}`;
}

function stemOf(example: Example): string {
  return placeOf(example).replaceAll(/[^\w]/g, '_');
}

function script(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { ...options, timeout: DEADLINE_MS },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
