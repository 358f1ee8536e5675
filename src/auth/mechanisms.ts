// The ways Sallyport can sign on, and the scheme word each travels under. Owns these names only.
import type { SchemeName } from './session.ts';

/** A scheme as the allow-list spells it. */
export type AllowedScheme = 'negotiate' | 'ntlm' | 'digest' | 'basic';

/**
 * One way to sign on.
 *
 * - `negotiate`: what the operating system's Negotiate makes: Kerberos in SPNEGO; on Windows NTLM, too
 * - `negotiate-ntlm`: raw NTLMSSP messages under `Negotiate`, which IIS and most proxies take
 * - `negotiate-spnego`: NTLM wrapped in SPNEGO (RFC 4178)
 */
export type Mechanism =
  | 'negotiate'
  | 'negotiate-ntlm'
  | 'negotiate-spnego'
  | 'ntlm'
  | 'digest'
  | 'basic';

/** What goes out under `Negotiate`; `auto` begins with Kerberos, then raw NTLM; the others are NTLM only. */
export type NegotiateForm = 'auto' | 'raw' | 'spnego';

export const ALLOWED_SCHEMES: readonly AllowedScheme[] = ['negotiate', 'ntlm', 'digest', 'basic'];

/** Basic is not in it: it shows the password to whoever reads along (docs/defaults.md). */
export const DEFAULT_ALLOWED: readonly AllowedScheme[] = ['negotiate', 'ntlm', 'digest'];

/** The word a mechanism's tokens are sent under. */
export function schemeOf(mechanism: Mechanism): SchemeName {
  switch (mechanism) {
    case 'negotiate':
    case 'negotiate-ntlm':
    case 'negotiate-spnego':
      return 'Negotiate';
    case 'ntlm':
      return 'NTLM';
    case 'digest':
      return 'Digest';
    case 'basic':
      return 'Basic';
  }
}

/** NTLM and Negotiate sign on a connection, Digest and Basic each request (RFC 4559 section 6, RFC 7616, RFC 7617). */
export function bindsConnection(mechanism: Mechanism): boolean {
  return !needsPassword(mechanism);
}

/** The operating system has no sign-on for these. */
export function needsPassword(mechanism: AllowedScheme | Mechanism): boolean {
  return mechanism === 'digest' || mechanism === 'basic';
}

/** Whether nothing but NTLM can come of it. */
export function isNtlm(mechanism: Mechanism): boolean {
  return mechanism !== 'negotiate' && bindsConnection(mechanism);
}
