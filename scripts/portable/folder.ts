// Lays out the folder somebody else gets: Node, Sallyport with its packages, what starts it, the licences of all. What is in it
// is all that is ever loaded: Node would look for a package that is missing in the folders above.
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LockFile } from '../package/dependencies.ts';
import { unpackPackage } from './fetch-package.ts';
import { neededFiles } from './needed-files.ts';
import type { PortablePlatform } from './platforms.ts';
import { KOFFI_LICENCE, NODE_LICENCE, NODE_VERSION } from './platforms.ts';

/** What only compilers and debuggers read. */
const NOT_AT_RUN_TIME = /\.(?:map|[cm]?ts|md|lib)$/;
const LICENCE = /^(?:licen[cs]e|notice|copying)/i;
const SOURCES = join('scripts', 'portable');

/**
 * @param folder is made anew
 * @throws Error when a package cannot be had, or a licence is missing
 */
export async function layOut(
  platform: PortablePlatform,
  folder: string,
  version: string,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const app = join(folder, 'app');
  const licences = join(folder, 'licenses');
  await mkdir(licences, { recursive: true });
  await addNode(platform, folder, licences);
  await addSallyport(app, licences);
  await addPackages(platform, app, licences);
  await addLauncher(platform, folder);
  await addReadMe(platform, folder, version);
}

/** The program as its makers signed it; its licence has those of all that is compiled into it. */
async function addNode(
  { node, nodeProgram }: PortablePlatform,
  folder: string,
  licences: string,
): Promise<void> {
  const unpacked = join(folder, 'unpacked');
  await unpackPackage(node, unpacked, [nodeProgram.from]);
  await cp(join(unpacked, nodeProgram.from), join(folder, nodeProgram.to));
  await unpackPackage(NODE_LICENCE, unpacked, ['LICENSE']);
  await cp(join(unpacked, 'LICENSE'), join(licences, 'node.txt'));
  await rm(unpacked, { recursive: true });
  await chmod(join(folder, nodeProgram.to), 0o755);
}

async function addSallyport(app: string, licences: string): Promise<void> {
  for (const path of await neededFiles()) {
    await cp(path, join(app, path));
  }
  await cp('LICENSE', join(licences, 'sallyport.txt'));
}

async function addPackages(
  { native }: PortablePlatform,
  app: string,
  licences: string,
): Promise<void> {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as LockFile;
  for (const [path, { dev, optional }] of Object.entries(packages)) {
    if (path !== '' && dev !== true && (optional !== true || path.endsWith('/keyring'))) {
      await keepLicences(path, join(licences, licenceName(path)));
    }
  }
  for (const name of native) {
    const path = `node_modules/${name}`;
    const { version = '', integrity = '' } = packages[path] ?? {};
    await unpackPackage({ name, version, integrity }, join(app, path));
    if (!name.startsWith('@koromix/')) {
      await keepLicences(join(app, path), join(licences, licenceName(path)));
    }
    await removeNotNeeded(join(app, path));
  }
  await addLicenceOfKoffi(licences);
}

/** Its packages of one platform have none; two more are of what is compiled into it. */
async function addLicenceOfKoffi(licences: string): Promise<void> {
  const unpacked = join(licences, 'unpacked');
  await unpackPackage(KOFFI_LICENCE, unpacked);
  const files = [
    'LICENSE.txt',
    'vendor/node-addon-api/LICENSE.md',
    'vendor/node-api-headers/LICENSE',
  ];
  const texts = await Promise.all(files.map((file) => readFile(join(unpacked, file), 'utf8')));
  await writeFile(join(licences, 'koffi.txt'), texts.join('\n'));
  await rm(unpacked, { recursive: true });
}

async function removeNotNeeded(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    // A C library that is not of this platform.
    const isForeign = entry.isDirectory() && entry.name.startsWith('musl');
    if (isForeign || (entry.isFile() && NOT_AT_RUN_TIME.test(entry.name))) {
      await rm(join(entry.parentPath, entry.name), { recursive: true });
    }
  }
}

/** @throws Error when the package has none: it could not be passed on */
async function keepLicences(from: string, to: string): Promise<void> {
  const names = (await readdir(from)).filter((name) => LICENCE.test(name));
  if (names.length === 0) {
    throw new Error(`${from} has no licence file`);
  }
  const texts = await Promise.all(names.map((name) => readFile(join(from, name), 'utf8')));
  await writeFile(`${to}.txt`, texts.join('\n'));
}

function licenceName(path: string): string {
  return path
    .replace(/^.*node_modules\//, '')
    .replace(/^@/, '')
    .replace('/', '-');
}

/** cmd.exe wants its lines to end as DOS ended them. */
async function addLauncher({ launcher }: PortablePlatform, folder: string): Promise<void> {
  const text = await readFile(join(SOURCES, launcher.from), 'utf8');
  const lines = launcher.to.endsWith('.cmd') ? text.replaceAll('\n', '\r\n') : text;
  await writeFile(join(folder, launcher.to), lines, { mode: 0o755 });
}

async function addReadMe(
  { title, starts, launcher }: PortablePlatform,
  folder: string,
  version: string,
): Promise<void> {
  const text = (await readFile(join(SOURCES, 'read-me.txt'), 'utf8'))
    .replace('VERSION', version)
    .replace('PLATFORM', title)
    .replace('NODE', NODE_VERSION)
    .replace('STARTS', starts.map((line) => `    ${line}`).join('\n'));
  const lines = launcher.to.endsWith('.cmd') ? text.replaceAll('\n', '\r\n') : text;
  await writeFile(join(folder, 'READ-ME.txt'), lines);
}
