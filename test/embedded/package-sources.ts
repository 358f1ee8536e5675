// What package managers and git install from, as files that any web server can serve: an npm registry, a Python index, a
// conda channel, an apt repository, a git repository. Each holds one tiny thing; serves nothing.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCRATCH } from './network.ts';

/** An npm registry of one package, which tells of its tarball under `url`. */
export function fillRegistry(folder: string, url: string): void {
  const source = mkdtempSync(join(SCRATCH, 'npm-source-'));
  mkdirSync(join(source, 'package'));
  mkdirSync(join(folder, 'tiny-thing'), { recursive: true });
  const about = { name: 'tiny-thing', version: '1.0.0' };
  writeFileSync(join(source, 'package', 'package.json'), JSON.stringify(about));
  writeFileSync(join(source, 'package', 'index.js'), "module.exports = 'tiny';\n");
  const tarball = join(folder, 'tiny-thing', 'tiny-thing-1.0.0.tgz');
  execFileSync('tar', ['czf', tarball, '-C', source, 'package']);
  const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64');
  const dist = {
    tarball: `${url}/tiny-thing/tiny-thing-1.0.0.tgz`,
    integrity: `sha512-${digest}`,
  };
  const versions = { '1.0.0': { ...about, dist } };
  writeFileSync(
    join(folder, 'tiny-thing', 'index.json'),
    JSON.stringify({ name: 'tiny-thing', 'dist-tags': { latest: '1.0.0' }, versions }),
  );
}

/** A PEP 503 page and a wheel, which needs no building. */
export function fillIndex(folder: string): void {
  const wheel = 'tiny_thing-1.0-py3-none-any.whl';
  const source = mkdtempSync(join(SCRATCH, 'pip-source-'));
  const meta = join(source, 'tiny_thing-1.0.dist-info');
  mkdirSync(meta);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(source, 'tiny_thing.py'), 'TINY = 1\n');
  writeFileSync(join(meta, 'METADATA'), 'Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n');
  writeFileSync(
    join(meta, 'WHEEL'),
    'Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  );
  writeFileSync(
    join(meta, 'RECORD'),
    [
      'tiny_thing.py',
      ...['METADATA', 'WHEEL', 'RECORD'].map((name) => `tiny_thing-1.0.dist-info/${name}`),
    ]
      .map((name) => `${name},,\n`)
      .join(''),
  );
  execFileSync(
    'python3',
    ['-m', 'zipfile', '-c', join(folder, wheel), 'tiny_thing.py', 'tiny_thing-1.0.dist-info'],
    { cwd: source },
  );
  writeFileSync(join(folder, 'index.html'), `<a href="${wheel}">${wheel}</a>`);
}

/** A bare repository as files, for the protocol that needs no program on the server. */
export function fillRepository(folder: string, text: string): void {
  const source = mkdtempSync(join(SCRATCH, 'git-source-'));
  writeFileSync(join(source, 'small.txt'), text);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      cwd: source,
      stdio: 'ignore',
    });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  git('clone', '-q', '--bare', source, folder);
  git('--git-dir', folder, 'update-server-info');
}

/** A conda channel: repodata.json, and a package in both formats, the new one where /usr/bin/python3 has zstandard. */
export function fillChannel(folder: string): void {
  const source = mkdtempSync(join(SCRATCH, 'conda-source-'));
  const about = { name: 'tiny-thing', version: '1.0', build: '0', build_number: 0, depends: [] };
  mkdirSync(join(source, 'info'));
  mkdirSync(join(folder, 'noarch'), { recursive: true });
  writeFileSync(join(source, 'info', 'index.json'), JSON.stringify(about));
  writeFileSync(join(source, 'tiny.txt'), 'tiny\n');
  // bzip2 is not everywhere; python3 brings its own.
  execFileSync('/usr/bin/python3', ['-c', PACK, join(folder, 'noarch')], { cwd: source });
  const entries = (archive: string) => {
    const file = join(folder, 'noarch', archive);
    if (!existsSync(file)) {
      return {};
    }
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    return { [archive]: { ...about, sha256 } };
  };
  writeFileSync(
    join(folder, 'noarch', 'repodata.json'),
    JSON.stringify({
      info: { subdir: 'noarch' },
      packages: entries('tiny-thing-1.0-0.tar.bz2'),
      'packages.conda': entries('tiny-thing-1.0-0.conda'),
    }),
  );
}

/** The first format is one tar; the second a zip of two tars, what is told of the package and the package itself. */
const PACK = `import io, os, sys, tarfile, zipfile
os.umask(0o022)
base = os.path.join(sys.argv[1], 'tiny-thing-1.0-0')
with tarfile.open(base + '.tar.bz2', 'w:bz2') as archive:
  archive.add('info'); archive.add('tiny.txt')
try: import zstandard
except ImportError: sys.exit()
def packed(name):
  bytes = io.BytesIO()
  with tarfile.open(fileobj=bytes, mode='w') as archive: archive.add(name)
  return zstandard.ZstdCompressor().compress(bytes.getvalue())
with zipfile.ZipFile(base + '.conda', 'w') as whole:
  whole.writestr('metadata.json', '{"conda_pkg_format_version": 2}')
  whole.writestr('info-tiny-thing-1.0-0.tar.zst', packed('info'))
  whole.writestr('pkg-tiny-thing-1.0-0.tar.zst', packed('tiny.txt'))`;

/** A flat apt repository. */
export function fillAptRepository(folder: string): void {
  const source = mkdtempSync(join(SCRATCH, 'apt-source-'));
  const control = `Package: tiny-thing
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.com>
Description: tiny
`;
  mkdirSync(join(source, 'DEBIAN'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(source, 'DEBIAN', 'control'), control);
  const file = join(folder, 'tiny-thing_1.0_all.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '-b', source, file], { stdio: 'ignore' });
  const bytes = readFileSync(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(
    join(folder, 'Packages'),
    `${control}Filename: ./tiny-thing_1.0_all.deb\nSize: ${bytes.length}\nSHA256: ${sha256}\n`,
  );
}
