// Who signs on: a name with a password, chosen among the places they may come from, or whoever is signed in here.
// Owns the secret until a session takes it; never prints one.
import { createHmac, randomBytes } from 'node:crypto';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { Secret } from '../observe/secret.ts';

export type Identity = PasswordIdentity | SystemIdentity;

/** Explicit credentials. */
export interface PasswordIdentity {
  readonly kind: 'password';
  /** As the user wrote it: `CORP\alice`, `alice@corp.example` or `alice`. Basic sends this. */
  readonly typed: string;
  /** The part before the first backslash, or empty. Sent as typed, never upper-cased (MS-NLMP 3.3.2). */
  readonly domain: string;
  readonly user: string;
  readonly password: Secret;
}

/** The user's own sign-on, which the operating system holds: session, Kerberos ticket, winbind's memory. */
export interface SystemIdentity {
  readonly kind: 'system';
  /** For messages, until the security library tells a name. */
  readonly typed: string;
}

export const SYSTEM_IDENTITY: SystemIdentity = { kind: 'system', typed: 'the signed-in user' };

/** What one place knows of the credentials; either part may be missing. */
export interface CredentialSource {
  readonly user?: string | undefined;
  readonly password?: Secret | undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is to find
const CONTROL = /[\0-\x1f\x7f]/;
const MAX_NAME_CHARS = 1024;
const NAME_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^$|^[^\\]*\\$/, 'is empty'],
  [CONTROL, 'has a control character'],
  [/^\\/, 'has no domain before its backslash'],
  // A Kerberos principal (`alice/admin@REALM`) has one on purpose.
  [/^[^\\@]*\/[^\\@]*$/, 'has a slash where a backslash belongs'],
  [/^@|^[^\\]*@$/, 'has nothing before or behind its @'],
];

/**
 * Splits `DOMAIN\user` at the first backslash. A UPN (`user@domain`) is one user name with an empty
 * domain: that is how Windows sends it.
 *
 * @throws SallyportError CREDENTIALS_INVALID as `checkUserName`, and for control characters in the password
 */
export function parseIdentity(typed: string, password: Secret): PasswordIdentity {
  const backslash = typed.indexOf('\\');
  const domain = typed.slice(0, Math.max(backslash, 0));
  const user = typed.slice(backslash + 1);
  checkUserName(typed);
  if (CONTROL.test(password.reveal())) {
    throw new SallyportError('CREDENTIALS_INVALID', 'The password has a control character');
  }
  return { kind: 'password', typed, domain, user, password };
}

/**
 * Refuses slips that would cost a wrong logon. The name is not shown: a password may have got into it.
 *
 * @param place where it stands, for the message: `SALLYPORT_USER`
 * @throws SallyportError CREDENTIALS_INVALID
 */
export function checkUserName(typed: string, place?: string): void {
  const fault =
    typed.length > MAX_NAME_CHARS
      ? `is longer than ${MAX_NAME_CHARS} characters`
      : NAME_FAULTS.find(([pattern]) => pattern.test(typed))?.[1];
  if (fault !== undefined) {
    const whose = place === undefined ? 'The user name' : `The user name of ${place}`;
    throw new SallyportError('CREDENTIALS_INVALID', `${whose} ${fault}`, {
      hint: 'Write it as DOMAIN\\name, name@domain or name, in quotes.',
    });
  }
}

/**
 * The identity the given places make together, strongest first. The name comes from the strongest
 * place that has one. Its password comes from the strongest place that has a password, but never
 * from a place that names somebody else.
 *
 * @returns `null` when no place names a user, or no password belongs to that user
 * @throws SallyportError CREDENTIALS_INVALID
 */
export function findIdentity(sources: readonly CredentialSource[]): PasswordIdentity | null {
  const typed = sources.find((source) => isGiven(source.user))?.user;
  if (typed === undefined) {
    return null;
  }
  const password = sources.find(
    (source) => source.password !== undefined && (!isGiven(source.user) || source.user === typed),
  )?.password;
  return password === undefined ? null : parseIdentity(typed, password);
}

/**
 * Whether a domain could give a ticket for this password: the name says which domain. A bare name would be asked for in
 * whatever realm this machine names first.
 */
export function mayGetTicket({ typed, domain }: PasswordIdentity): boolean {
  return domain !== '' || typed.includes('@');
}

const processKey = randomBytes(32);
/** Asked for with each request. */
const knownKeys = new WeakMap<Identity, string>();

/** A name for (account, secret) that is good within this process and useless outside it. */
export function identityKey(identity: Identity | null): string {
  if (identity?.kind !== 'password') {
    return identity?.kind ?? 'nobody';
  }
  const known = knownKeys.get(identity);
  if (known !== undefined) {
    return known;
  }
  const key = createHmac('sha256', processKey)
    .update(JSON.stringify([identity.typed.toLowerCase(), identity.password.reveal()]))
    .digest('base64url');
  knownKeys.set(identity, key);
  return key;
}

function isGiven(user: string | undefined): boolean {
  return user !== undefined && user !== '';
}
