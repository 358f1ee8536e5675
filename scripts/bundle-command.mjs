// Puts the command into one CommonJS file: 150 small modules cost more time than a small download, and Node's loader of ES
// modules costs more than its older one. Runs behind tsc, on its output; the library stays as it is, one file for each module.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const COMMAND = `${DIST}cli/main.js`;

/** A module that finds its neighbours by its own place goes on finding them from the bundle's. */
const keepPlaces = {
  name: 'keep-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const place = relative(dirname(COMMAND), path).replaceAll('\\', '/');
      const here = "require('node:url').pathToFileURL(__filename)";
      const own = `new URL(${JSON.stringify(place)}, ${here}).href`;
      return { contents: text.replaceAll('import.meta.url', own), loader: 'js' };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: [COMMAND],
  outfile: COMMAND,
  write: false,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  plugins: [keepPlaces],
  logLevel: 'warning',
});
await rm(dirname(COMMAND), { recursive: true });
await mkdir(dirname(COMMAND));
await writeFile(COMMAND, outputFiles[0].contents, { mode: 0o755 });
// Else the package's own `module` would count here, too.
await writeFile(`${dirname(COMMAND)}/package.json`, `${JSON.stringify({ type: 'commonjs' })}\n`);
