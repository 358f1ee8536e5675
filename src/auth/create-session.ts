// Makes the session of a mechanism. Owns the choice between the operating system's library and our own NTLM, and the
// lazy loading: a scheme that is not used costs nothing.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { ContextRequest } from '../native/security-context.ts';
import type { Identity, PasswordIdentity } from './credentials.ts';
import type { Mechanism } from './mechanisms.ts';
import { schemeOf } from './mechanisms.ts';
import type { AuthSession } from './session.ts';
import type { PasswordContext, SessionContext } from './session-context.ts';

/**
 * The signed-in user signs on through the operating system. A name with a password does so for Kerberos only: NTLM,
 * Digest and Basic are our own, and work without FFI.
 *
 * @throws SallyportError CREDENTIALS_INVALID, SIGN_ON_UNAVAILABLE
 */
export async function createSession(
  mechanism: Mechanism,
  context: SessionContext,
): Promise<AuthSession> {
  const { identity } = context;
  switch (mechanism) {
    case 'negotiate':
      return systemSession(mechanism, 'negotiate', context);
    case 'negotiate-ntlm':
    case 'ntlm':
      return isPassword(identity)
        ? ownNtlm(mechanism, { ...context, identity })
        : systemSession(mechanism, 'ntlm', context);
    case 'negotiate-spnego':
      return isPassword(identity)
        ? ownSpnego({ ...context, identity })
        : systemSession(mechanism, 'negotiate-ntlm', context);
    case 'digest':
      return ownDigest(named(mechanism, identity), context.digest);
    case 'basic':
      return new (await import('./basic-session.ts')).BasicSession(named(mechanism, identity));
  }
}

async function ownNtlm(
  mechanism: 'negotiate-ntlm' | 'ntlm',
  context: PasswordContext,
): Promise<AuthSession> {
  const { NtlmSession } = await import('./ntlm-session.ts');
  return new NtlmSession(mechanism === 'ntlm' ? 'NTLM' : 'Negotiate', context);
}

async function ownSpnego(context: PasswordContext): Promise<AuthSession> {
  return new (await import('./spnego-session.ts')).SpnegoSession(context);
}

async function ownDigest(
  identity: PasswordIdentity,
  digest: SessionContext['digest'],
): Promise<AuthSession> {
  if (digest === null) {
    throw new SallyportError('SIGN_ON_MISSING', 'There is no request to sign by Digest');
  }
  return new (await import('./digest-session.ts')).DigestSession({ ...digest, identity });
}

function named(mechanism: 'digest' | 'basic', identity: Identity): PasswordIdentity {
  if (!isPassword(identity)) {
    throw new SallyportError(
      'SIGN_ON_MISSING',
      `${schemeOf(mechanism)} needs a name and a password`,
    );
  }
  return identity;
}

async function systemSession(
  mechanism: Exclude<Mechanism, 'digest' | 'basic'>,
  request: ContextRequest['package'],
  context: SessionContext,
): Promise<AuthSession> {
  const { loadSecurityProvider } = await import('../native/security-provider.ts');
  const { SystemSession } = await import('./system-session.ts');
  const provider = await loadSecurityProvider(context.securityLibrary);
  const scheme = schemeOf(mechanism) === 'NTLM' ? 'NTLM' : 'Negotiate';
  return new SystemSession(scheme, provider, { ...context, package: request });
}

function isPassword(identity: Identity): identity is PasswordIdentity {
  return identity.kind === 'password';
}
