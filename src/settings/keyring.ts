// Names with passwords in the keyring of the operating system, one per proxy: Credential Manager, Keychain, Secret
// Service. Owns what is stored under which name, and the list of proxies for which anything is: where there is no
// such list, no keyring is ever opened.
import { SallyportError } from '../errors/sallyport-error.ts';
import { Secret } from '../observe/secret.ts';
import type { AskKeyring } from './ask-keyring.ts';
import { askKeyring } from './ask-keyring.ts';
import { keyringFailed } from './keyring-errors.ts';
import { nameFilePath, readNames, writeNames } from './name-file.ts';

/** What is stored for one proxy. */
export interface StoredLogin {
  /** As it was typed: `CORP\alice`. */
  readonly user: string;
  readonly password: Secret;
}

/** Where these functions look; the defaults are this process and this platform. */
export interface KeyringPlace {
  readonly env?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  /** Told why a login that is stored could not be read. */
  readonly onFailure?: (failure: SallyportError) => void;
  /** For tests. */
  readonly ask?: AskKeyring;
}

const SERVICE = 'sallyport';
const INDEX_FILE = 'stored-logins.json';

/**
 * The login stored for a proxy, or `null`: nothing stored, no package, no keyring, or nobody unlocked it. Costs one read
 * of a small file unless one is stored, and some 60 ms of a process of its own if so.
 *
 * @param proxy `http://host:port` or `https://host:port`, or `host:port`
 * @throws nothing
 */
export async function readKeyring(
  proxy: string,
  place: KeyringPlace = {},
): Promise<StoredLogin | null> {
  try {
    const account = accountOf(proxy);
    if (!(await listKeyring(place)).includes(account)) {
      return null;
    }
    const answer = await ask(place)({ action: 'read', service: SERVICE, account });
    return answer.value === undefined ? null : parseLogin(answer.value);
  } catch (error) {
    place.onFailure?.(error as SallyportError);
    return null;
  }
}

/**
 * The proxies for which a login is stored, as `host:port`, without opening the keyring.
 *
 * @throws SallyportError CONFIG_INVALID when the list is something else
 */
export async function listKeyring(place: KeyringPlace = {}): Promise<readonly string[]> {
  const path = indexPath(place);
  return path === undefined ? [] : readNames(path);
}

/**
 * Finds out that there is a keyring, before anybody is asked for a password.
 *
 * @throws SallyportError KEYRING_FAILED
 */
export async function checkKeyring(place: KeyringPlace = {}): Promise<void> {
  requireIndexPath(place);
  await ask(place)({ action: 'open', service: SERVICE, account: 'check' });
}

/**
 * Stores a login, in place of the one there was for this proxy.
 *
 * @throws SallyportError KEYRING_FAILED, CONFIG_INVALID or OUTPUT_FAILED for the list beside the configuration file
 */
export async function writeKeyring(
  proxy: string,
  user: string,
  password: Secret,
  place: KeyringPlace = {},
): Promise<void> {
  const account = accountOf(proxy);
  const path = requireIndexPath(place);
  const known = await readNames(path);
  // First the list: a name too many costs a look, a password nobody looks for is one nobody removes.
  await writeNames(path, [...new Set([...known, account])].sort());
  const value = JSON.stringify({ user, password: password.reveal() });
  try {
    await ask(place)({ action: 'write', service: SERVICE, account, value });
  } catch (error) {
    await writeNames(path, known).catch(() => undefined);
    throw error;
  }
}

/**
 * Removes the login of a proxy.
 *
 * @returns whether there was one
 * @throws SallyportError KEYRING_FAILED when there may be one that cannot be removed; CONFIG_INVALID, OUTPUT_FAILED
 */
export async function deleteKeyring(proxy: string, place: KeyringPlace = {}): Promise<boolean> {
  const account = accountOf(proxy);
  const path = indexPath(place);
  const known = path === undefined ? [] : await readNames(path);
  const isListed = known.includes(account);
  let found = false;
  try {
    ({ found } = await ask(place)({ action: 'delete', service: SERVICE, account }));
  } catch (error) {
    if (isListed) {
      throw error;
    }
  }
  if (path !== undefined && isListed) {
    await writeNames(
      path,
      known.filter((name) => name !== account),
    );
  }
  return found;
}

/** Scheme and a slash at the end are no part of the name: one port speaks one of the two. */
function accountOf(proxy: string): string {
  return proxy
    .replace(/^https?:\/\//i, '')
    .replace(/\/$/, '')
    .toLowerCase();
}

function ask({ ask: given, env, platform }: KeyringPlace): AskKeyring {
  return given ?? ((request) => askKeyring(request, { env, platform }));
}

function indexPath({ env = process.env, platform = process.platform }: KeyringPlace) {
  return nameFilePath(INDEX_FILE, env, platform);
}

function requireIndexPath(place: KeyringPlace): string {
  const path = indexPath(place);
  if (path === undefined) {
    throw keyringFailed(
      'The environment names no home folder, and so no user whose keyring it would be',
      place.platform,
    );
  }
  return path;
}

/** Something else under our name is nothing of ours. No part of it is shown: it may be a password. */
function parseLogin(text: string): StoredLogin {
  const { user, password } = parseObject(text);
  if (typeof user !== 'string' || typeof password !== 'string') {
    throw new SallyportError(
      'KEYRING_FAILED',
      'What the keyring holds is not a login of Sallyport',
      {
        hint: 'Store it anew with sallyport login.',
      },
    );
  }
  return { user, password: new Secret(password) };
}

function parseObject(text: string): { readonly user?: unknown; readonly password?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
