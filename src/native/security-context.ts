// The contract between the operating system's security libraries and the sessions above them. Owns the words; SSPI
// and GSSAPI stand beside it, each behind this interface.

/** What is asked of the library: one sign-on to one server. */
export interface ContextRequest {
  /**
   * - `negotiate`: SPNEGO; Kerberos, and NTLM inside only where `allowNtlm`
   * - `kerberos`: Kerberos tokens without SPNEGO
   * - `negotiate-ntlm`: SPNEGO with nothing but NTLM inside
   * - `ntlm`: raw NTLMSSP messages
   */
  readonly package: 'negotiate' | 'kerberos' | 'negotiate-ntlm' | 'ntlm';
  /** `HTTP/host`; GSSAPI gets `HTTP@host`. */
  readonly spn: string;
  /** `null` for the signed-in user: session, ticket cache, keytab, winbind's memory. */
  readonly credentials: ExplicitCredentials | null;
  /** `tls-server-end-point:` data, not hashed (RFC 5929); passed with every call. */
  readonly channelBindings: Uint8Array | null;
  readonly allowNtlm: boolean;
  /** Ask the server to prove itself; whether it did is `serverProved`. */
  readonly mutual: boolean;
  /** Let the server act as the user elsewhere. Never for proxies. */
  readonly delegate: boolean;
}

export interface ExplicitCredentials {
  /** Without the domain; a UPN whole, with an empty domain. */
  readonly user: string;
  readonly domain: string;
  readonly password: string;
}

/** Which protocol speaks inside; known once the first token was made, where the library tells. */
export type ContextMechanism = 'Kerberos' | 'NTLM';

/**
 * One sign-on under way in the library, for ONE connection. Calls that may wait run off the main thread, one at a
 * time. Disposing frees every native handle on every path, also while a call is under way (then when it ends).
 */
export interface SecurityContext extends Disposable {
  /** True once this side needs no more: the last token was made. */
  readonly complete: boolean;
  readonly mechanism: ContextMechanism | null;
  /** Whether the server has proved that it is who the SPN names. */
  readonly serverProved: boolean;
  /** Who signs on, as the library names it: `alice@CORP.EXAMPLE`, `CORP\alice`; `null` where it does not tell. */
  readonly principal: string | null;
  /**
   * The first call gets `null`, later ones what the server sent. Returns the next token, or `null` when there is
   * nothing more to say.
   *
   * @throws SallyportError with `native` set: TICKET_MISSING, TICKET_EXPIRED, SPN_UNKNOWN, KDC_UNREACHABLE,
   *   CLOCK_SKEW, ACCOUNT_DISABLED, PASSWORD_EXPIRED, CREDENTIALS_REFUSED, SIGN_ON_MISSING, CHALLENGE_INVALID,
   *   SERVER_UNPROVEN, SIGN_ON_UNAVAILABLE, SIGN_ON_FAILED
   */
  step(token: Uint8Array | null): Promise<Uint8Array | null>;
}

/** A security library that was found and loaded. */
export interface SecurityProvider {
  readonly api: 'SSPI' | 'GSSAPI';
  /** For `-v` and doctor: `SSPI (secur32.dll)`, `GSSAPI (MIT, libgssapi_krb5.so.2)`. */
  readonly description: string;
  /** Packages this library can serve here. */
  readonly packages: readonly ContextRequest['package'][];
  /** Cheap; nothing is asked of the network before the first `step`. */
  createContext(request: ContextRequest): SecurityContext;
}
