// Basic credentials (RFC 7617), judged per request.
import type { Accounts } from '../accounts.ts';
import { isPassword } from '../accounts.ts';
import type { RefusalReason } from './acceptor.ts';

/** `reason` is `null` for good credentials. */
export interface BasicVerdict {
  readonly reason: RefusalReason | null;
  /** The account's id, else what the client wrote. */
  readonly user: string | null;
}

/** Judges `user-id:password`, UTF-8; the user-id may be a name, `DOMAIN\name` or a UPN. */
export function verifyBasic(credentials: Buffer, accounts: Accounts): BasicVerdict {
  const text = credentials.toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) {
    return { reason: 'malformed', user: null };
  }
  const userId = text.slice(0, colon);
  const account = accounts.findByUserId(userId);
  if (account === null) {
    return { reason: 'unknown-user', user: userId };
  }
  const isRight = isPassword(account, text.slice(colon + 1));
  return { reason: isRight ? null : 'wrong-password', user: account.id };
}
