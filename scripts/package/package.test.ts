// Each policy of the package on a bad example: what it lets pass would be shipped.
import { describe, expect, it } from 'vitest';
import { judgeAudit } from './audit.ts';
import { installFaults, licenceFaults, runtimePackages } from './dependencies.ts';
import { lockFaults, versionFaults } from './lock-file.ts';
import type { PackedFile, Tarball } from './tarball.ts';
import { MAX_PACKED_BYTES, MAX_UNPACKED_BYTES, tarballFaults } from './tarball.ts';

const GOOD: readonly PackedFile[] = [
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
  ...['docs/doctor.md', 'docs/errors.md', 'docs/exit-codes.md'],
  ...['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'dist/cli/package.json'],
].map((path) => ({ path, text: '' }));

function tarball(change: Partial<Tarball> = {}): Tarball {
  return {
    files: GOOD,
    packedBytes: MAX_PACKED_BYTES,
    unpackedBytes: MAX_UNPACKED_BYTES,
    sources: ['index.ts'],
    forbidden: ['/home/erin/sallyport', 'packages.corp.example'],
    ...change,
  };
}

const withText = (path: string, text: string, more: readonly PackedFile[] = []): Tarball =>
  tarball({
    files: [...GOOD.map((file) => (file.path === path ? { path, text } : file)), ...more],
  });

describe('tarballFaults()', () => {
  it('has nothing against the files that belong there, up to the size that is allowed', () => {
    expect(tarballFaults(tarball())).toEqual([]);
  });

  it('tells of a tarball that has grown, by how much, and what to do', () => {
    const grown = tarball({ packedBytes: MAX_PACKED_BYTES + 1000, unpackedBytes: 5_000_000 });
    expect(tarballFaults(grown)).toEqual([
      expect.stringMatching(/has 781 kB packed, and may have 780 kB\. See what is new/),
      expect.stringMatching(/has 5000 kB unpacked, and may have 2600 kB/),
    ]);
  });

  it.each([
    'dist/index.test.js',
    'dist/stale.js',
    'test/lab/lab.ts',
    'docs/options.md',
    '.env',
    'src/index.ts',
  ])('does not let %s in', (path) => {
    expect(tarballFaults(tarball({ files: [...GOOD, { path, text: '' }] }))).toEqual([
      `${path} is packed and belongs to nothing in src/ or the list of pages`,
    ]);
  });

  it.each(['LICENSE', 'dist/index.d.ts'])('misses %s', (path) => {
    const files = GOOD.filter((file) => file.path !== path);
    expect(tarballFaults(tarball({ files }))).toEqual([`${path} is missing from the tarball`]);
  });

  it.each([
    ['a folder of this machine', 'at /home/erin/sallyport/src', /names \/home\/erin/],
    ['the registry of this machine', '// from packages.corp.example', /names packages\.corp/],
    ['another registry', '"https://registry.other.example/x"', /address of a package registry/],
    [
      'a map that is not there',
      '//# sourceMappingURL=index.js.map\n',
      /not packed: index\.js\.map/,
    ],
  ])('finds %s in a file', (_, text, fault) => {
    expect(tarballFaults(withText('dist/index.js', text))).toEqual([expect.stringMatching(fault)]);
  });

  it('finds a source map without its source', () => {
    const map = { path: 'dist/index.js.map', text: '{"sources":["../src/index.ts"]}' };
    expect(tarballFaults(withText('dist/index.js', '', [map]))).toContain(
      'dist/index.js.map points to a source that is not packed: ../src/index.ts',
    );
  });
});

describe('runtimePackages()', () => {
  const packages = runtimePackages({
    packages: {
      '': { version: '1.0.0' },
      'node_modules/tool': {
        version: '1.0.0',
        dev: true,
        license: 'GPL-3.0',
        hasInstallScript: true,
      },
      'node_modules/a/node_modules/@b/c': { version: '2.0.0', license: 'GPL-3.0' },
      'node_modules/native': { version: '3.0.0', optional: true, hasInstallScript: true },
      'node_modules/fine': { version: '4.0.0', license: 'MIT' },
    },
  });

  it('are those of dependencies and optional ones, however deep', () => {
    expect(packages.map(({ name }) => name)).toEqual(['@b/c', 'fine', 'native']);
  });

  it('fail by a licence that is not on the list, or none', () => {
    expect(licenceFaults(packages)).toEqual([
      expect.stringMatching(/^@b\/c 2\.0\.0 has the licence GPL-3\.0/),
      expect.stringMatching(/^native 3\.0\.0 has no licence/),
    ]);
  });

  it('fail by a script at their installation', () => {
    expect(installFaults(packages)).toEqual([
      'native 3.0.0 wants to run a script when it is installed',
    ]);
  });
});

describe('versionFaults()', () => {
  it.each([
    '^1.2.3',
    '~1.2.3',
    '1',
    '1.2',
    '*',
    'latest',
    '>=1.0.0',
    'npm:other@^1.0.0',
    'file:..',
  ])('does not take %s', (version) => {
    expect(versionFaults({ dependencies: { it: version } })).toHaveLength(1);
    expect(versionFaults({ devDependencies: { it: version } })).toHaveLength(1);
    expect(versionFaults({ optionalDependencies: { it: version } })).toHaveLength(1);
  });

  it.each(['1.2.3', '1.2.3-beta.1', 'npm:@scope/other@1.2.3'])('takes %s', (version) => {
    expect(versionFaults({ dependencies: { it: version } })).toEqual([]);
  });
});

describe('lockFaults()', () => {
  it('finds an address and a missing hash', () => {
    const packages = {
      '': {},
      'node_modules/a': { resolved: 'https://packages.corp.example/a.tgz', integrity: 'sha512-x' },
      'node_modules/b': {},
    };
    expect(lockFaults({ packages })).toEqual([
      expect.stringMatching(/address for node_modules\/a/),
      expect.stringMatching(/no hash for node_modules\/b/),
    ]);
  });
});

describe('judgeAudit()', () => {
  const report = (severity: string) => JSON.stringify({ vulnerabilities: { bad: { severity } } });

  it.each(['high', 'critical'])('stops at a finding that is %s', (severity) => {
    expect(judgeAudit(report(severity)).faults).toEqual([
      `bad: ${severity}; see npm audit --omit=dev`,
    ]);
  });

  it('counts a moderate one', () => {
    expect(judgeAudit(report('moderate'))).toEqual({
      what: 'npm audit, findings below high: 1',
      faults: [],
    });
  });

  it.each([
    ['', 'no answer'],
    ['npm error network', 'no answer'],
    ['{"message":"405 Method Not Allowed","statusCode":405}', 'it answered 405'],
  ])('passes and says so where there is no audit: %s', (json, why) => {
    expect(judgeAudit(json)).toEqual({
      what: `npm audit, not available from this registry (${why})`,
      faults: [],
    });
  });
});
