// Why the keyring cannot be used, in words, and what to do. Owns the reading of what the keyring package says.
import { SallyportError } from '../errors/sallyport-error.ts';

const INSTEAD = 'or give the password in SALLYPORT_PASSWORD';

/** For a reason of the keyring package, which stays as the cause where it is known. */
export function keyringRefused(reason: string, platform: NodeJS.Platform): SallyportError {
  const known = REASONS.find(
    (row) => row.pattern.test(reason) && (row.platform ?? platform) === platform,
  );
  return known === undefined
    ? keyringFailed(`The keyring refuses: ${reason}`, platform)
    : new SallyportError('KEYRING_FAILED', known.words, {
        cause: new Error(reason),
        hint: known.hint,
      });
}

/** For everything else. */
export function keyringFailed(
  detail: string,
  platform: NodeJS.Platform = process.platform,
): SallyportError {
  return new SallyportError('KEYRING_FAILED', detail, { hint: HINTS[platform] ?? HINT });
}

const HINT = `Check the keyring of the operating system, ${INSTEAD}.`;
const HINTS: Partial<Record<NodeJS.Platform, string>> = {
  linux: `Unlock the keyring of your desktop, ${INSTEAD}.`,
  darwin: `Unlock it with "security unlock-keychain", ${INSTEAD}.`,
  win32: `Sign in to Windows at the desk or by remote desktop, for other sessions have no Credential Manager, ${INSTEAD}.`,
};

interface Reason {
  readonly pattern: RegExp;
  readonly platform?: NodeJS.Platform;
  readonly words: string;
  readonly hint: string;
}

const REASONS: readonly Reason[] = [
  {
    pattern: /unlock prompt was dismissed|is ?locked/i,
    words: 'The keyring is locked, and nobody unlocked it',
    hint: `Unlock it, for example in "Passwords and Keys", ${INSTEAD}.`,
  },
  {
    pattern: /no result found/i,
    platform: 'linux',
    words: 'The Secret Service has no keyring to store passwords in',
    hint: `Create one, for example in "Passwords and Keys" or by signing in at the desktop, ${INSTEAD}.`,
  },
  {
    pattern: /d-?bus|secret service/i,
    platform: 'linux',
    words: 'There is no Secret Service in this session',
    hint: `Install and unlock one (gnome-keyring or KWallet) and run this where its D-Bus session is, ${INSTEAD}.`,
  },
  {
    pattern: /too ?long|longer than/i,
    words: 'The keyring does not take a name and a password of this length',
    hint: `Use a shorter one, ${INSTEAD}.`,
  },
];
