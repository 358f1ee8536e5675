// Which packages come along when Sallyport is installed, and on what terms. Owns the list of licences that are allowed.

export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string | null;
  readonly runsAtInstall: boolean;
}

/**
 * Each lets a company ship it in closed programs and asks for its text and names at most. They come as packages with their own
 * LICENSE: nothing of them is in our tarball, so it needs no notices of third parties.
 */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0'],
]);

/** What `npm install sallyport` brings, the optional packages of all platforms included, by name. */
export function runtimePackages({ packages }: LockFile): RuntimePackage[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version = '', license, hasInstallScript }]) => ({
      name: path.replace(/^.*node_modules\//, ''),
      version,
      licence: license ?? null,
      runsAtInstall: hasInstallScript === true,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** @returns what is wrong, a sentence each */
export function licenceFaults(packages: readonly RuntimePackage[]): string[] {
  return packages
    .filter(({ licence }) => licence === null || !ALLOWED_LICENCES.has(licence))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version} has ${licence === null ? 'no licence' : `the licence ${licence}`}, which is not on the list in scripts/package/dependencies.ts`,
    );
}

/** Install scripts are blocked by npm 12 and by many companies, and run as whoever installs. */
export function installFaults(packages: readonly RuntimePackage[]): string[] {
  return packages
    .filter(({ runsAtInstall }) => runsAtInstall)
    .map(({ name, version }) => `${name} ${version} wants to run a script when it is installed`);
}
