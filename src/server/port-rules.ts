// How far the options open the port. Owns which of them go together, and who needs no token; judges no client.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { UserId } from '../native/loopback-ends.ts';
import { idsOfUsers } from './user-names.ts';

/** As in `ProxyServerOptions`. */
export interface PortRules {
  readonly sameUser?: boolean;
  readonly allowUsers?: readonly string[];
  readonly host?: string | null;
  readonly allow?: readonly string[];
}

/** 128 bits, as base64 writes them. A token of our own has 192: guessing needs no limit. */
const MIN_TOKEN_CHARS = 22;

/**
 * @param rules with the token that counts
 * @throws SallyportError OPTION_INVALID
 */
export function checkReach(rules: PortRules & { readonly token: string | null }): void {
  const { token, host = null, allow = [], sameUser = false, allowUsers = [] } = rules;
  if (token !== null && !/^[\w.~-]+$/.test(token)) {
    throw invalid('The token of the local proxy has characters a URL cannot carry', {
      hint: 'Use letters, digits, - and _.',
    });
  }
  if (token !== null && token.length < MIN_TOKEN_CHARS) {
    throw invalid(`The token of the local proxy has fewer than ${MIN_TOKEN_CHARS} characters`, {
      hint: 'Make one that cannot be guessed, or leave it to Sallyport.',
    });
  }
  if (token === null && host !== null) {
    throw invalid(`Listening on ${host} needs a token: the users of other machines are not known`, {
      hint: 'Give one, or listen on loopback alone.',
    });
  }
  if (token === null && !sameUser && allowUsers.length === 0) {
    throw invalid('Without a token and without --same-user nobody could use the local proxy', {
      hint: 'Leave one of them to it.',
    });
  }
  if (host !== null && allow.length === 0) {
    throw invalid(`--listen ${host} needs --allow: everybody who reaches it could knock`, {
      hint: 'Name the networks that may connect, such as --allow 172.17.0.0/16.',
    });
  }
  if (host === null && allow.length > 0) {
    throw invalid('--allow does nothing without an address in --listen that others can reach', {
      hint: 'Add --listen ADDRESS:PORT, or leave --allow out.',
    });
  }
}

/** @throws SallyportError OPTION_INVALID for a name that is not known */
export function usersWithoutToken(
  { sameUser = false, allowUsers = [] }: PortRules,
  ownUser: UserId | null,
): ReadonlySet<UserId> {
  const own = sameUser && ownUser !== null ? [ownUser] : [];
  return new Set([...own, ...idsOfUsers(allowUsers)]);
}

function invalid(message: string, options: { readonly hint: string }): SallyportError {
  return new SallyportError('OPTION_INVALID', message, options);
}
