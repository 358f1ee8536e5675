// Puts what the command loads into few files: 150 small modules cost more time than a small download. Runs behind tsc, on
// its output; the library stays as it is, one file for each module.
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
      const own = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
      return { contents: text.replaceAll('import.meta.url', own), loader: 'js' };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: [COMMAND],
  outdir: dirname(COMMAND),
  write: false,
  bundle: true,
  splitting: true,
  chunkNames: 'part-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  plugins: [keepPlaces],
  logLevel: 'warning',
});
await rm(dirname(COMMAND), { recursive: true });
await mkdir(dirname(COMMAND));
for (const { path, contents } of outputFiles) {
  await writeFile(path, contents, { mode: path === COMMAND ? 0o755 : 0o644 });
}
