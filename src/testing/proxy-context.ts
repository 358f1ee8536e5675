// What all connections of one proxy share.
import type { Authenticators } from './authenticators.ts';
import type { Habits } from './habits.ts';
import type { ProxyRecord } from './record.ts';
import type { SignOnPolicy } from './sign-on.ts';
import type { SignedOnConnections } from './signed-on-connections.ts';

export interface ProxyContext {
  readonly policy: SignOnPolicy;
  readonly habits: Habits;
  readonly authenticators: Authenticators;
  readonly signedOn: SignedOnConnections;
  readonly record: ProxyRecord;
  readonly blocked: (target: string, user: string | null) => boolean;
  /** Whether a URL leads back to this proxy. */
  readonly isSelf: (url: URL) => boolean;
}
