// Which files the command reads when it runs, its packages' included: packages bring three builds of themselves, tests and
// sources, some megabytes. Followed from import to import, not guessed by name.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** The command, the process it starts for the keyring, and what it loads by a name no bundler follows. */
const STARTS = ['dist/cli/main.js', 'dist/settings/keyring-process.js', 'node_modules/tldts'];
/** Laid beside by platform. */
const NATIVE = ['@koromix/*', '@napi-rs/keyring-*', '*.node'];

/** @returns paths from the root of the project, each with the package.json that says how it is read, sorted */
export async function neededFiles(): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: STARTS.map((path) => `./${path}`),
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'build/followed',
    platform: 'node',
    target: 'node20',
    // As it is read: each import as an import, each require as a require.
    conditions: ['node'],
    mainFields: ['main'],
    external: NATIVE,
    logLevel: 'error',
  });
  const read = Object.keys(metafile.inputs).filter((path) => existsSync(path));
  return [...new Set(read.flatMap((path) => [path, ...manifestsAbove(path)]))].sort();
}

function manifestsAbove(path: string): string[] {
  const found: string[] = [];
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    found.push(join(folder, 'package.json'));
  }
  return [...found, 'package.json'].filter((manifest) => existsSync(manifest));
}
