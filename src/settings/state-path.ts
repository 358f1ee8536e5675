// Where what Sallyport remembers between processes lies, per platform: local to this machine, never roaming. Owns the
// rule which folders may be created for it.
import { posix, win32 } from 'node:path';
import { readStateFolder } from './environment.ts';

/** A folder for state files. It may be created, but only inside of a folder that is there already. */
export interface StatePlace {
  readonly folder: string;
  /** The home of the user, or what stands for it: never created, for it may be one that must not exist. */
  readonly within: string;
}

/**
 * The folder, or `undefined` when the environment names no home. `SALLYPORT_STATE_DIR` goes before; Linux follows the
 * XDG Base Directory Specification, where a relative `XDG_STATE_HOME` is to be ignored.
 */
export function findStatePlace(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): StatePlace | undefined {
  const { resolve, dirname } = platform === 'win32' ? win32 : posix;
  const named = readStateFolder(env);
  if (named !== undefined) {
    return { folder: resolve(named), within: dirname(resolve(named)) };
  }
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA'];
    return local ? { folder: win32.join(local, 'Sallyport'), within: local } : undefined;
  }
  const home = env['HOME'];
  const isHome = home !== undefined && posix.isAbsolute(home);
  if (platform === 'darwin') {
    return isHome
      ? { folder: posix.join(home, 'Library', 'Application Support', 'Sallyport'), within: home }
      : undefined;
  }
  const xdg = env['XDG_STATE_HOME'];
  if (xdg && posix.isAbsolute(xdg)) {
    return { folder: posix.join(xdg, 'sallyport'), within: posix.dirname(xdg) };
  }
  return isHome
    ? { folder: posix.join(home, '.local', 'state', 'sallyport'), within: home }
    : undefined;
}
