// The rows of GSSAPI's statuses: symbol, error code, sentence, what to do. Routine errors are of RFC 2744 section 3.9.1,
// minors of Kerberos of krb5_err.et. `%s` stands for the service name, `%u` for the user.
import type { ErrorCode } from '../errors/codes.ts';

export interface StatusRow {
  readonly symbol: string;
  readonly code: ErrorCode;
  readonly says: string;
  readonly hint?: string;
}

const KINIT = 'Run kinit, or give a name with --user.';
const NETWORK = 'Connect to the company’s network (VPN).';
const REALM =
  'Check the realm, which is the domain of the name in capitals; or connect to the company’s network (VPN).';
const CLOCK = 'Set this machine’s clock right: Kerberos allows 5 minutes.';
const HOST_NAME =
  'Name the proxy by the full host name it has in the domain; its administrator may have to register the service name.';
const REFUSED_PASSWORD =
  'Check the name and the password: each wrong try counts towards a lockout.';
const KEYTAB = 'The proxy’s administrator must renew its keytab.';
const CONFIG = 'Correct krb5.conf (KRB5_CONFIG).';

/** By offset from the base of krb5's error table. */
export const KERBEROS_MINORS: Readonly<Record<number, StatusRow>> = {
  1: row('KRB5KDC_ERR_NAME_EXP', 'ACCOUNT_DISABLED', 'The account %u has expired'),
  6: row(
    'KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN',
    // No account, so none that could be locked: the proxy may know the name from elsewhere.
    'SIGN_ON_MISSING',
    'The domain does not know %u',
    'Check the name.',
  ),
  7: row(
    'KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN',
    'SPN_UNKNOWN',
    'The domain does not know the service name %s',
    HOST_NAME,
  ),
  18: row(
    'KRB5KDC_ERR_CLIENT_REVOKED',
    'ACCOUNT_DISABLED',
    'The account %u is disabled or locked',
    'Ask your administrator.',
  ),
  21: row(
    'KRB5KDC_ERR_CLIENT_NOTYET',
    'ACCOUNT_DISABLED',
    'The account %u is not valid yet',
    'Ask your administrator.',
  ),
  23: row(
    'KRB5KDC_ERR_KEY_EXP',
    'PASSWORD_EXPIRED',
    'The password of %u has expired or must be changed',
    'Change the password, then try again.',
  ),
  24: row(
    'KRB5KDC_ERR_PREAUTH_FAILED',
    'CREDENTIALS_REFUSED',
    'The password of %u was refused',
    REFUSED_PASSWORD,
  ),
  31: row(
    'KRB5KRB_AP_ERR_BAD_INTEGRITY',
    'CREDENTIALS_REFUSED',
    'The password of %u was refused',
    REFUSED_PASSWORD,
  ),
  32: row('KRB5KRB_AP_ERR_TKT_EXPIRED', 'TICKET_EXPIRED', 'The Kerberos ticket has expired', KINIT),
  33: row(
    'KRB5KRB_AP_ERR_TKT_NYV',
    'CLOCK_SKEW',
    'The Kerberos ticket is not valid yet: the clocks differ',
    CLOCK,
  ),
  37: row(
    'KRB5KRB_AP_ERR_SKEW',
    'CLOCK_SKEW',
    'The clocks of this machine and the domain differ too much',
    CLOCK,
  ),
  44: row(
    'KRB5KRB_AP_ERR_BADKEYVER',
    'TICKET_REFUSED',
    'The server has an older key than the ticket for %s',
    KEYTAB,
  ),
  45: row('KRB5KRB_AP_ERR_NOKEY', 'TICKET_REFUSED', 'The server has no key for %s', KEYTAB),
  46: row('KRB5KRB_AP_ERR_MUT_FAIL', 'SERVER_UNPROVEN', 'The server could not prove that it is %s'),
  135: row(
    'KRB5_CONFIG_CANTOPEN',
    'SIGN_ON_FAILED',
    'The Kerberos configuration cannot be read',
    CONFIG,
  ),
  136: row(
    'KRB5_CONFIG_BADFORMAT',
    'SIGN_ON_FAILED',
    'The Kerberos configuration is malformed',
    CONFIG,
  ),
  141: row('KRB5_CC_NOTFOUND', 'TICKET_MISSING', 'There is no Kerberos ticket', KINIT),
  142: row('KRB5_CC_END', 'TICKET_MISSING', 'There is no Kerberos ticket', KINIT),
  148: row(
    'KRB5_KDCREP_SKEW',
    'CLOCK_SKEW',
    'The clocks of this machine and the domain differ too much',
    CLOCK,
  ),
  154: row(
    'KRB5_REALM_UNKNOWN',
    'KDC_UNREACHABLE',
    'No domain controller can be found for the realm of %u',
    REALM,
  ),
  156: row('KRB5_KDC_UNREACH', 'KDC_UNREACHABLE', 'No domain controller answers', NETWORK),
  158: row('KRB5_MUTUAL_FAILED', 'SERVER_UNPROVEN', 'The server could not prove that it is %s'),
  181: row(
    'KRB5_KT_NOTFOUND',
    'TICKET_MISSING',
    'The keytab has no key for this user',
    'Check KRB5_CLIENT_KTNAME.',
  ),
  185: row(
    'KRB5_NO_TKT_IN_RLM',
    'SPN_UNKNOWN',
    'No domain has a ticket for the service name %s',
    HOST_NAME,
  ),
  193: row('KRB5_CC_IO', 'SIGN_ON_FAILED', 'The ticket cache cannot be read', 'Check KRB5CCNAME.'),
  194: row(
    'KRB5_FCC_PERM',
    'SIGN_ON_FAILED',
    'The ticket cache may not be read',
    'Check KRB5CCNAME and its owner.',
  ),
  195: row('KRB5_FCC_NOFILE', 'TICKET_MISSING', 'There is no Kerberos ticket', KINIT),
  199: row(
    'KRB5_CC_FORMAT',
    'SIGN_ON_FAILED',
    'The ticket cache is malformed',
    'Run kdestroy, then kinit.',
  ),
  216: row('KRB5_ERR_BAD_HOSTNAME', 'SPN_UNKNOWN', 'No service name can be made for %s', HOST_NAME),
  217: row(
    'KRB5_ERR_HOST_REALM_UNKNOWN',
    'SPN_UNKNOWN',
    'It is not known which domain %s belongs to',
    HOST_NAME,
  ),
  220: row(
    'KRB5_REALM_CANT_RESOLVE',
    'KDC_UNREACHABLE',
    'No domain controller can be found for the realm of %u',
    REALM,
  ),
  224: row(
    'KRB5_CONFIG_NODEFREALM',
    'SIGN_ON_MISSING',
    'This machine belongs to no Kerberos realm',
    'Give a name as user@REALM with --user.',
  ),
};

/** By routine error, bits 16 to 23. */
export const ROUTINE_ERRORS: Readonly<Record<number, StatusRow>> = {
  1: row('GSS_S_BAD_MECH', 'SIGN_ON_UNAVAILABLE', 'The security library lacks this mechanism'),
  2: row('GSS_S_BAD_NAME', 'SPN_UNKNOWN', '%s cannot be a service name', HOST_NAME),
  3: row('GSS_S_BAD_NAMETYPE', 'SPN_UNKNOWN', '%s cannot be a service name', HOST_NAME),
  4: row('GSS_S_BAD_BINDINGS', 'SIGN_ON_FAILED', 'The channel bindings do not fit'),
  5: row('GSS_S_BAD_STATUS', 'SIGN_ON_FAILED', 'The security library failed'),
  6: row('GSS_S_BAD_SIG', 'SERVER_UNPROVEN', 'The server could not prove that it is %s'),
  7: row('GSS_S_NO_CRED', 'TICKET_MISSING', 'There is no Kerberos ticket', KINIT),
  8: row('GSS_S_NO_CONTEXT', 'SIGN_ON_FAILED', 'The security library lost the sign-on'),
  9: row('GSS_S_DEFECTIVE_TOKEN', 'CHALLENGE_INVALID', 'The server’s token is malformed'),
  10: row(
    'GSS_S_DEFECTIVE_CREDENTIAL',
    'SIGN_ON_FAILED',
    'The credentials are malformed',
    'Run kdestroy, then kinit.',
  ),
  11: row('GSS_S_CREDENTIALS_EXPIRED', 'TICKET_EXPIRED', 'The Kerberos ticket has expired', KINIT),
  12: row('GSS_S_CONTEXT_EXPIRED', 'TICKET_EXPIRED', 'The Kerberos ticket has expired', KINIT),
  13: row('GSS_S_FAILURE', 'SIGN_ON_FAILED', 'The security library failed'),
  14: row('GSS_S_BAD_QOP', 'SIGN_ON_FAILED', 'The security library failed'),
  15: row('GSS_S_UNAUTHORIZED', 'SIGN_ON_FAILED', 'The security library forbids this sign-on'),
  16: row('GSS_S_UNAVAILABLE', 'SIGN_ON_UNAVAILABLE', 'The security library cannot do this'),
  17: row('GSS_S_DUPLICATE_ELEMENT', 'SIGN_ON_FAILED', 'The security library failed'),
  18: row('GSS_S_NAME_NOT_MN', 'SIGN_ON_FAILED', 'The security library failed'),
};

/** The server's answer cannot be verified, whatever the status. */
export const UNPROVEN: StatusRow = row(
  'GSS_S_BAD_SIG',
  'SERVER_UNPROVEN',
  'The server could not prove that it is %s',
  'Somebody else may answer in its place.',
);

export const NO_TICKET: StatusRow = row(
  'GSS_S_NO_CRED',
  'TICKET_MISSING',
  'There is no Kerberos ticket',
  KINIT,
);

export const EXPIRED_TICKET: StatusRow = row(
  'GSS_S_CREDENTIALS_EXPIRED',
  'TICKET_EXPIRED',
  'The Kerberos ticket has expired',
  KINIT,
);

/** gss-ntlmssp finds nobody: neither in winbind nor in NTLM_USER_FILE. */
export const NO_NTLM_CREDENTIALS: StatusRow = row(
  'GSS_S_NO_CRED',
  'SIGN_ON_MISSING',
  'No NTLM sign-on is remembered for this user',
  'Sign in through winbind (pam_winbind with cached_login), or give a name with --user.',
);

/** Bits 24 to 31: a mistake of ours. */
export const CALLING_ERRORS: Readonly<Record<number, string>> = {
  1: 'GSS_S_CALL_INACCESSIBLE_READ',
  2: 'GSS_S_CALL_INACCESSIBLE_WRITE',
  3: 'GSS_S_CALL_BAD_STRUCTURE',
};

function row(symbol: string, code: ErrorCode, says: string, hint?: string): StatusRow {
  return { symbol, code, says, ...(hint === undefined ? {} : { hint }) };
}
