// The words acceptors share: what one token leads to, and why a sign-on is refused.
import type { Account } from '../accounts.ts';

/** Why a sign-on was refused. It stands in the log; the wire shows only a bare 407 or 401. */
export type RefusalReason =
  | 'no-credentials'
  | 'scheme-not-offered'
  | 'malformed'
  | 'out-of-order'
  | 'unknown-user'
  | 'wrong-password'
  | 'ntlm-v1'
  | 'key-exchange'
  | 'lm-response'
  | 'timestamp'
  | 'mic-missing'
  | 'mic'
  | 'channel-binding-missing'
  | 'channel-binding'
  | 'spn'
  | 'mech-list-mic'
  | 'mechanism'
  | 'nonce'
  | 'nonce-count'
  | 'digest-uri'
  | 'busy'
  | 'connection-cap'
  | 'reused'
  | 'blocked';

/** What an acceptor makes of one token. */
export type AcceptorStep =
  | { readonly kind: 'challenge'; readonly token: Buffer }
  | { readonly kind: 'accepted'; readonly account: Account; readonly token: Buffer | null }
  | {
      readonly kind: 'refused';
      readonly reason: RefusalReason;
      /** The user a last leg named, known or not; `null` when none was named. */
      readonly user: string | null;
    };

/** One side of a handshake on one connection. */
export interface Acceptor {
  step(token: Buffer): AcceptorStep;
}
