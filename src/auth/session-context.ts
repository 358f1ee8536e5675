// What a session is made of, whatever its scheme.
import type { Identity } from './credentials.ts';

export interface SessionContext {
  readonly identity: Identity;
  /** `HTTP/host` of the server that asked, never taken from its answers. */
  readonly spn: string;
  /** `tls-server-end-point:` data of the TLS connection to that server, or `null` without TLS. */
  readonly channelBindings: Uint8Array | null;
}
