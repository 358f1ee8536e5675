// One logon that is about to be tried, as the gate and its memory know it.
import type { Secret } from '../../observe/secret.ts';

export interface LogonRequest {
  /** `host:port`, for messages. */
  readonly place: string;
  /** Where the secret is judged (`logon-realm.ts`). */
  readonly realm: string;
  /** As typed, or as the operating system names it; compared without case. */
  readonly account: string;
  /** `null`: the operating system's own sign-on by a password it holds. */
  readonly secret: Secret | null;
}
