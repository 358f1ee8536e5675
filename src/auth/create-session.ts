// Makes the session of a mechanism. Owns the lazy loading: a scheme that is not used costs nothing.
import type { Identity } from './credentials.ts';
import type { Mechanism } from './mechanisms.ts';
import type { AuthSession } from './session.ts';

export interface SessionContext {
  readonly identity: Identity;
  /** `HTTP/host` of the server that asked, never taken from its answers. */
  readonly spn: string;
  /** `tls-server-end-point:` data of the TLS connection to that server, or `null` without TLS. */
  readonly channelBindings: Uint8Array | null;
}

/** @throws SallyportError CREDENTIALS_INVALID */
export async function createSession(
  mechanism: Mechanism,
  context: SessionContext,
): Promise<AuthSession> {
  switch (mechanism) {
    case 'negotiate-ntlm':
      return new (await import('./ntlm-session.ts')).NtlmSession('Negotiate', context);
    case 'negotiate-spnego':
      return new (await import('./spnego-session.ts')).SpnegoSession(context);
    case 'ntlm':
      return new (await import('./ntlm-session.ts')).NtlmSession('NTLM', context);
    case 'basic':
      return new (await import('./basic-session.ts')).BasicSession(context.identity);
  }
}
