// What stands in SPNEGO tokens (RFC 4178 section 4.2): identifiers, states, fields. Owns these words; reading and writing
// stand beside it.

/** Mechanism identifiers (MS-SPNG 1.9). */
export const MECH = {
  SPNEGO: '1.3.6.1.5.5.2',
  KERBEROS: '1.2.840.113554.1.2.2',
  /** What Windows 2000 wrote for Kerberos by mistake, and servers still offer. */
  MS_KERBEROS: '1.2.840.48018.1.2.2',
  NTLMSSP: '1.3.6.1.4.1.311.2.2.10',
  NEGOEX: '1.3.6.1.4.1.311.2.2.30',
} as const;

export const NEG_STATES = [
  'accept-completed',
  'accept-incomplete',
  'reject',
  'request-mic',
] as const;

export type NegState = (typeof NEG_STATES)[number];

export interface NegTokenInit {
  /** Dotted identifiers in order of preference; `mechToken` belongs to the first. */
  readonly mechTypes: readonly string[];
  readonly mechToken?: Uint8Array;
  readonly mechListMic?: Uint8Array;
}

export interface NegTokenResp {
  readonly negState?: NegState;
  readonly supportedMech?: string;
  readonly responseToken?: Uint8Array;
  readonly mechListMic?: Uint8Array;
}
