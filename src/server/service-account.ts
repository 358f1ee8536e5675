// Accounts of Windows that are the machine. Owns the refusal to lend their sign-on to programs: behind the port of such a
// service SSPI would sign on as the computer, for whoever may use it.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { UserId } from '../native/loopback-ends.ts';

const ACCOUNTS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^S-1-5-18$/, 'LocalSystem'],
  [/^S-1-5-19$/, 'LocalService'],
  [/^S-1-5-20$/, 'NetworkService'],
  [/^S-1-5-80-/, 'the virtual account of a service'],
  [/^S-1-5-82-/, 'the account of an IIS application pool'],
];

/**
 * @param user whoever runs this process
 * @throws SallyportError SERVICE_ACCOUNT
 */
export function refuseServiceAccount(user: UserId | null): void {
  const [, name] = ACCOUNTS.find(([pattern]) => pattern.test(user ?? '')) ?? [];
  if (name !== undefined) {
    throw new SallyportError(
      'SERVICE_ACCOUNT',
      `Sallyport runs as ${name} (${user}) here: its local proxy would sign on as the machine, not as a user`,
      { hint: 'Run it, or the service it belongs to, as the user whose sign-on is meant.' },
    );
  }
}
