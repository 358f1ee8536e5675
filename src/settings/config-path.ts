// Where the configuration file of a user lies on each platform. Never the working directory: a checked-out
// repository must not choose the proxy that gets the user's sign-on.
import { posix, win32 } from 'node:path';

/**
 * The path of the per-user file, or `undefined` when the environment names no home. Linux follows the XDG
 * Base Directory Specification, where a relative `XDG_CONFIG_HOME` is to be ignored.
 */
export function findDefaultConfigPath(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): string | undefined {
  if (platform === 'win32') {
    const appData = env['APPDATA'];
    return appData ? win32.join(appData, 'Sallyport', 'config.json') : undefined;
  }
  const home = env['HOME'];
  if (platform === 'darwin') {
    return home
      ? posix.join(home, 'Library', 'Application Support', 'Sallyport', 'config.json')
      : undefined;
  }
  const xdg = env['XDG_CONFIG_HOME'];
  if (xdg && posix.isAbsolute(xdg)) {
    return posix.join(xdg, 'sallyport', 'config.json');
  }
  return home ? posix.join(home, '.config', 'sallyport', 'config.json') : undefined;
}
