// `npm run build:offline`: one tarball that `npm i -g FILE` installs without any network: the package, its packages inside, native
// libraries of all platforms. Owns what goes in; packing is npm's.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseArguments, runTool } from '../../test/tool-arguments.ts';
import type { LockedPackage, LockFile } from '../package/dependencies.ts';
import { unpackPackage } from '../portable/fetch-package.ts';

const OUT = join('build', 'offline');
const STAGE = join(OUT, 'package');
const KEYRING = '@napi-rs/keyring';
/** The platforms koffi has packages for; musl, FreeBSD, RISC-V and 32-bit ARM would be 3 MB for few. */
const KEYRING_PLATFORMS =
  /-(?:darwin-(?:arm64|x64)|linux-(?:arm64|x64)-gnu|win32-(?:arm64|ia32|x64)-msvc)$/;

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: unknown;
  readonly scripts?: unknown;
}

const execute = promisify(execFile);

const USAGE = `npm run build:offline

Makes build/offline/sallyport-VERSION-offline.tgz, which npm i -g FILE installs without any network.
`;

await runTool('build:offline', async () => {
  const { values } = parseArguments({ options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  await rm(OUT, { recursive: true, force: true });
  await mkdir(STAGE, { recursive: true });
  const { version } = await readManifest('.');
  const packed = join(OUT, `sallyport-${version}.tgz`);
  await pack('.');
  await unpack(packed);
  const native = await addPackages();
  await bundleAll(native);
  await pack(`./${STAGE}`);
  const file = join(OUT, `sallyport-${version}-offline.tgz`);
  await rename(packed, file);
  await rm(STAGE, { recursive: true });
  const bytes = await readFile(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  process.stdout.write(`${file}: ${(bytes.length / 1e6).toFixed(1)} MB, SHA-256 ${hash}\n`);
  return 0;
});

async function pack(folder: string): Promise<void> {
  const quietly = ['--silent', '--ignore-scripts', '--pack-destination', OUT];
  await execute('npm', ['pack', folder, ...quietly]);
}

async function unpack(tarball: string): Promise<void> {
  await execute('tar', ['-xzf', tarball, '-C', STAGE, '--strip-components=1']);
  await rm(tarball);
}

/** @returns the names of the native packages, at the top of node_modules */
async function addPackages(): Promise<readonly string[]> {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as LockFile;
  const native: string[] = [];
  for (const [path, locked] of Object.entries(packages)) {
    const name = path.replace(/^node_modules\//, '');
    if (path === '' || locked.dev === true || !isMeant(name, locked)) {
      continue;
    }
    if (locked.optional === true) {
      const { version = '', integrity = '' } = locked;
      await unpackPackage({ name, version, integrity }, join(STAGE, path));
      native.push(name);
    } else {
      await cp(path, join(STAGE, path), { recursive: true });
    }
  }
  return native;
}

function isMeant(name: string, { optional }: LockedPackage): boolean {
  return optional !== true || !name.startsWith(`${KEYRING}-`) || KEYRING_PLATFORMS.test(name);
}

/** npm takes what is bundled from the tarball, and asks a registry for whatever else a manifest names. */
async function bundleAll(native: readonly string[]): Promise<void> {
  const { devDependencies, scripts, ...own } = await readManifest(STAGE);
  const bundleDependencies = [...Object.keys(own.dependencies ?? {}), ...native];
  await writeManifest(STAGE, { ...own, bundleDependencies });
  const folder = join(STAGE, 'node_modules', KEYRING);
  const keyring = await readManifest(folder);
  const kept = Object.entries(keyring.optionalDependencies ?? {}).filter(([name]) =>
    native.includes(name),
  );
  await writeManifest(folder, { ...keyring, optionalDependencies: Object.fromEntries(kept) });
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
