// Makes the session of a mechanism. Owns the lazy loading: a scheme that is not used costs nothing.
import type { Mechanism } from './mechanisms.ts';
import type { AuthSession } from './session.ts';
import type { SessionContext } from './session-context.ts';

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
