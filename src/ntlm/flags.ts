// NegotiateFlags (MS-NLMP 2.2.2.5). Owns the bits and the sets we offer; KEY_EXCH and SEAL are never offered, as they
// would need RC4.

/** The bits this client reads or sets, by the names of MS-NLMP without `NTLMSSP_NEGOTIATE_`. */
export const NTLM_FLAGS = {
  UNICODE: 0x0000_0001,
  OEM: 0x0000_0002,
  REQUEST_TARGET: 0x0000_0004,
  SIGN: 0x0000_0010,
  NTLM: 0x0000_0200,
  ALWAYS_SIGN: 0x0000_8000,
  EXTENDED_SESSION_SECURITY: 0x0008_0000,
  TARGET_INFO: 0x0080_0000,
  VERSION: 0x0200_0000,
  KEY_128: 0x2000_0000,
  KEY_56: 0x8000_0000,
} as const;

/** What Windows offers over HTTP, a2088207; SIGN is added inside SPNEGO, whose mechListMIC needs a signing key. */
export const OFFERED_FLAGS =
  (NTLM_FLAGS.UNICODE |
    NTLM_FLAGS.OEM |
    NTLM_FLAGS.REQUEST_TARGET |
    NTLM_FLAGS.NTLM |
    NTLM_FLAGS.ALWAYS_SIGN |
    NTLM_FLAGS.EXTENDED_SESSION_SECURITY |
    NTLM_FLAGS.VERSION |
    NTLM_FLAGS.KEY_128 |
    NTLM_FLAGS.KEY_56) >>>
  0;

/** Tells whether all bits of `mask` are set; safe for bit 31, which `&` makes negative. */
export function hasFlags(flags: number, mask: number): boolean {
  return (flags & mask) >>> 0 === mask;
}
