// The ways Sallyport can sign on, and the scheme word each travels under. Owns these names only.
import type { SchemeName } from './session.ts';

/** A scheme as the allow-list spells it. */
export type AllowedScheme = 'negotiate' | 'ntlm' | 'basic';

/**
 * One way to sign on. `Negotiate` can carry NTLM in two forms: raw NTLMSSP messages, which IIS and
 * most proxies take, or wrapped in SPNEGO (RFC 4178).
 */
export type Mechanism = 'negotiate-ntlm' | 'negotiate-spnego' | 'ntlm' | 'basic';

/** Which forms of NTLM go out under `Negotiate`; `auto` begins raw. */
export type NegotiateForm = 'auto' | 'raw' | 'spnego';

export const ALLOWED_SCHEMES: readonly AllowedScheme[] = ['negotiate', 'ntlm', 'basic'];

/** Basic is not in it: it shows the password to whoever reads along (docs/defaults.md). */
export const DEFAULT_ALLOWED: readonly AllowedScheme[] = ['negotiate', 'ntlm'];

/** The word a mechanism's tokens are sent under. */
export function schemeOf(mechanism: Mechanism): SchemeName {
  switch (mechanism) {
    case 'negotiate-ntlm':
    case 'negotiate-spnego':
      return 'Negotiate';
    case 'ntlm':
      return 'NTLM';
    case 'basic':
      return 'Basic';
  }
}

/** NTLM and Negotiate sign on a connection, Basic each request (RFC 4559 section 6, RFC 7617). */
export function bindsConnection(mechanism: Mechanism): boolean {
  return mechanism !== 'basic';
}
