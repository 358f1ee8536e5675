// The build and TypeScript of the test folder, copied to where any user may read them and Windows Node finds them. Owns
// the copies in the lab's folder, one for each state of the build.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { LAB } from './lab.ts';

const WINE = join(LAB.directory, 'wine');
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Where the product was built; another folder while something else is being built there. */
const DIST = process.env['SALLYPORT_DIST'] ?? join(ROOT, 'dist');

/** The file that shows, in the folder of a run, that Node began there. */
export const BEGUN = 'begun';

/**
 * A copy of the build and its packages that alice can read, too, with koffi for this machine and for Windows: one folder for each state of
 * the build and of this file. Others of the same build are removed.
 */
export function stagedApp(): string {
  const newest = Math.max(newestChange(DIST), statSync(fileURLToPath(import.meta.url)).mtimeMs);
  const stamp = Math.floor(newest).toString(36);
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
  copy(DIST, join(partial, 'dist'));
  copy(join(ROOT, 'package.json'), join(partial, 'package.json'));
  for (const name of productionPackages()) {
    copy(join(ROOT, 'node_modules', name), join(partial, 'node_modules', name));
  }
  const koffi = join('node_modules/@koromix', `koffi-${process.platform}-${process.arch}`);
  copy(join(ROOT, koffi), join(partial, koffi));
  copy(join(WINE, 'koffi-win32-x64'), join(partial, 'node_modules/@koromix/koffi-win32-x64'));
  // Wine 8 has no TCP_KEEPIDLE: a connect after setKeepAlive() fails with UNKNOWN.
  writeFileSync(
    join(partial, 'keep-alive.cjs'),
    `require('node:fs').writeFileSync('${BEGUN}', '');
require('node:net').Socket.prototype.setKeepAlive = function () { return this; };
`,
  );
  chmodSync(partial, 0o755);
  try {
    renameSync(partial, app);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(app)) {
      throw error; // else another suite was quicker
    }
  }
  return app;
}

/** By a program of its own: the leak detector takes the folders `cpSync` opens for left open. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('cp', ['-rL', from, to]);
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
 * A test program and the test files it imports, as JavaScript beside the build; imports of `src/` become `dist/`. What is
 * in `dist/` is there already.
 *
 * @param path from the root of the project
 * @returns where it lies in the app
 */
export function stageProgram(app: string, path: string): string {
  if (path.startsWith('dist/')) {
    return path;
  }
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
      stageProgram(app, file);
    }
  }
  return target;
}
