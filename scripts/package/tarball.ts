// What the published tarball may hold: which files, how large, and what must not stand in them. Owns these rules.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, posix } from 'node:path';
import { promisify } from 'node:util';

/**
 * Bytes. About half above what 0.1.0 has so far (516 and 1,738 kB, of which the bundle of the command is 130 and 450): room
 * for what is planned, while source maps, which would double it, do not fit in.
 */
export const MAX_PACKED_BYTES = 780_000;
export const MAX_UNPACKED_BYTES = 2_600_000;

/** Besides dist/: what npm always packs, and what `files` of package.json names. Pages that messages point to. */
const PAGES: readonly string[] = [
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
  ...['docs/doctor.md', 'docs/errors.md', 'docs/exit-codes.md'],
];

/** The command is one file, and what says of which kind (scripts/bundle-command.mjs). */
const COMMAND = ['dist/cli/main.js', 'dist/cli/package.json'];

export interface PackedFile {
  readonly path: string;
  readonly text: string;
}

export interface Tarball {
  readonly files: readonly PackedFile[];
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** `src/` of the repository, without tests: each `.ts` gives a `.js` and a `.d.ts`. */
  readonly sources: readonly string[];
  /** What must stand nowhere: folders of this machine, the registry it installs from. */
  readonly forbidden: readonly string[];
}

/** What `npm pack` would make of the built package. */
export async function packDry(): Promise<Tarball> {
  const execute = promisify(execFile);
  const [pack, registry] = await Promise.all([
    execute('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { maxBuffer: 2 ** 26 }),
    execute('npm', ['config', 'get', 'registry']),
  ]);
  const [{ files, size, unpackedSize }] = JSON.parse(pack.stdout) as [
    { files: { path: string }[]; size: number; unpackedSize: number },
  ];
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' });
  return {
    files: files.map(({ path }) => ({ path, text: readFileSync(path, 'utf8') })),
    packedBytes: size,
    unpackedBytes: unpackedSize,
    sources: sources.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')),
    forbidden: [process.cwd(), homedir(), new URL(registry.stdout.trim()).host],
  };
}

export function describeTarball({ files, packedBytes, unpackedBytes }: Tarball): string {
  return `tarball of ${files.length} files, ${kb(packedBytes)} packed, ${kb(unpackedBytes)} unpacked`;
}

/** @returns what is wrong, a sentence each */
export function tarballFaults(tarball: Tarball): string[] {
  return [
    ...sizeFault('packed', tarball.packedBytes, MAX_PACKED_BYTES),
    ...sizeFault('unpacked', tarball.unpackedBytes, MAX_UNPACKED_BYTES),
    ...listFaults(tarball),
    ...tarball.files.flatMap((file) => contentFaults(file, tarball)),
  ];
}

function sizeFault(what: string, bytes: number, limit: number): string[] {
  return bytes <= limit
    ? []
    : [
        `The tarball has ${kb(bytes)} ${what}, and may have ${kb(limit)}. See what is new in it (npm pack --dry-run); where it belongs there, raise the limit in scripts/package/tarball.ts`,
      ];
}

function listFaults({ files, sources }: Tarball): string[] {
  const built = sources
    .map((name) => `dist/${name.replaceAll('\\', '/').replace(/\.ts$/, '')}`)
    .filter((stem) => !stem.startsWith('dist/cli/'))
    .flatMap((stem) => [`${stem}.js`, `${stem}.d.ts`]);
  const expected = new Set([...PAGES, ...COMMAND, ...built]);
  const packed = new Set(files.map(({ path }) => path));
  return [
    ...[...packed]
      .filter((path) => !expected.has(path))
      .map((path) => `${path} is packed and belongs to nothing in src/ or the list of pages`),
    ...[...expected]
      .filter((path) => !packed.has(path))
      .map((path) => `${path} is missing from the tarball`),
  ];
}

function contentFaults({ path, text }: PackedFile, { files, forbidden }: Tarball): string[] {
  const packed = new Set(files.map((file) => file.path));
  const map = /^\/\/# sourceMappingURL=(\S+)$/m.exec(text)?.[1];
  return [
    ...forbidden
      // A path of one letter, or a home that is the root, would be found everywhere.
      .filter((word) => word.length > 4 && text.includes(word))
      .map((word) => `${path} names ${word}, which is of the machine that built it`),
    ...(/https?:\/\/(?:registry|npm)\.[\w.-]+/i.test(text)
      ? [`${path} holds the address of a package registry`]
      : []),
    ...(map !== undefined && !packed.has(posix.join(posix.dirname(path), map))
      ? [`${path} points to a source map that is not packed: ${map}`]
      : []),
    ...(path.endsWith('.map') ? mapFaults(path, text, packed) : []),
  ];
}

function mapFaults(path: string, text: string, packed: ReadonlySet<string>): string[] {
  const { sources = [], sourcesContent } = JSON.parse(text) as {
    sources?: string[];
    sourcesContent?: string[];
  };
  return sourcesContent === undefined
    ? sources
        .filter((source) => !packed.has(posix.join(dirname(path), source)))
        .map((source) => `${path} points to a source that is not packed: ${source}`)
    : [];
}

function kb(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}
