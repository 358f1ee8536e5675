// Gets a package by its exact version from whatever registry npm is set to, and believes its hash alone. Keeps the tarballs in
// build/packages, so that a second build needs no network.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As in a lock file: `sha512-` and base64. */
  readonly integrity: string;
}

const PACKAGES = join('build', 'packages');
const execute = promisify(execFile);

/**
 * Unpacks a package, without its outermost folder.
 *
 * @param only paths in the package; without it, all
 * @throws Error when the hash is another one, or npm or tar fails
 */
export async function unpackPackage(
  pinned: PinnedPackage,
  folder: string,
  only: readonly string[] = [],
): Promise<void> {
  const tarball = await fetchPackage(pinned);
  await mkdir(folder, { recursive: true });
  const members = only.map((path) => `package/${path}`);
  const options = ['--strip-components=1', '--no-same-owner'];
  await execute('tar', ['-xzf', tarball, '-C', folder, ...options, ...members]);
}

/** @returns the path of the tarball */
async function fetchPackage({ name, version, integrity }: PinnedPackage): Promise<string> {
  const stem = `${name.replace(/^@/, '').replace('/', '-')}-${version}`;
  const kept = join(PACKAGES, `${stem}.tgz`);
  if (!existsSync(kept)) {
    const arriving = join(PACKAGES, `${stem}.${process.pid}`);
    await mkdir(arriving, { recursive: true });
    // npm refuses to install what is for another platform, yet packs it.
    await execute('npm', [
      'pack',
      '--silent',
      `${name}@${version}`,
      '--pack-destination',
      arriving,
    ]);
    await rename(join(arriving, `${stem}.tgz`), kept);
    await rm(arriving, { recursive: true });
  }
  const hash = createHash('sha512')
    .update(await readFile(kept))
    .digest('base64');
  if (`sha512-${hash}` !== integrity) {
    await rm(kept);
    throw new Error(`${name} ${version} has the hash sha512-${hash} where ${integrity} is pinned`);
  }
  return kept;
}
