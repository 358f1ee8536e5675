// Which proxies this user has trusted with the own sign-on (`sallyport trust`): a file beside the configuration file.
// Owns its place; what trusting allows is decided where a sign-on begins (`auth/sign-on-rules.ts`).
import { SallyportError } from '../errors/sallyport-error.ts';
import { nameFilePath, readNames, writeNames } from './name-file.ts';

const FILE_NAME = 'trusted-proxies.json';

/**
 * The trusted proxies as `host` or `host:port`; none when there is no file or no home.
 *
 * @throws SallyportError CONFIG_INVALID for a file that is something else, with its name
 */
export async function readTrustedProxies(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<readonly string[]> {
  const path = nameFilePath(FILE_NAME, env, platform);
  return path === undefined ? [] : readNames(path);
}

/**
 * Replaces the list, which is kept sorted and without doubles.
 *
 * @returns the path of the file
 * @throws SallyportError OUTPUT_FAILED, also when the environment names no home
 */
export async function writeTrustedProxies(
  proxies: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<string> {
  const path = nameFilePath(FILE_NAME, env, platform);
  if (path === undefined) {
    throw new SallyportError(
      'OUTPUT_FAILED',
      'The environment names no home folder to keep it in',
      {
        hint:
          platform === 'win32'
            ? 'Set APPDATA.'
            : 'Set HOME to the folder of the user who is meant.',
      },
    );
  }
  await writeNames(path, [...new Set(proxies)].sort());
  return path;
}
