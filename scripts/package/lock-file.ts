// How versions are pinned: exactly in package.json, by hash and without an address in the lock file. Owns these rules.
import type { LockFile } from './dependencies.ts';

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const EXACT = /^(?:npm:(?:@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/;

/** @returns what is wrong, a sentence each */
export function versionFaults(manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `package.json wants ${name} ${version}: write one exact version`);
}

/** The registry a company installs from is its own affair; what comes from it is held by its hash. */
export function lockFaults({ packages }: LockFile): string[] {
  return Object.entries(packages).flatMap(([path, { resolved, integrity }]) => {
    if (path === '') {
      return [];
    }
    return [
      ...(resolved === undefined
        ? []
        : [
            `package-lock.json has an address for ${path}: write it with npm install --package-lock-only --omit-lockfile-registry-resolved`,
          ]),
      ...(integrity === undefined ? [`package-lock.json has no hash for ${path}`] : []),
    ];
  });
}
