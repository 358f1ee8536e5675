// What a session is made of, whatever its scheme.
import type { Identity, PasswordIdentity } from './credentials.ts';
import type { DigestContext } from './digest-session.ts';

export interface SessionContext {
  readonly identity: Identity;
  /** `HTTP/host` of the server that asked, never taken from its answers. */
  readonly spn: string;
  /** `tls-server-end-point:` data of the TLS connection to that server, or `null` without TLS. */
  readonly channelBindings: Uint8Array | null;
  /** Whether the operating system's Negotiate may fall to NTLM. */
  readonly allowNtlm: boolean;
  /** Whether the server may act as the user elsewhere. */
  readonly delegate: boolean;
  /** Another security library than the system's usual one. */
  readonly securityLibrary: string | undefined;
  /** What Digest needs besides; `null` where it is out of the question. */
  readonly digest: Omit<DigestContext, 'identity'> | null;
}

/** For the sessions that are made of a password here, without the operating system. */
export interface PasswordContext extends Pick<SessionContext, 'spn' | 'channelBindings'> {
  readonly identity: PasswordIdentity;
}
