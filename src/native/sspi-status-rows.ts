// The rows of SSPI's statuses: number, symbol, error code, sentence, what to do. Numbers are of sspi.h and winerror.h, and
// of ntstatus.h where a package hands a status of the security subsystem through. `%s` stands for the service name.
import type { ErrorCode } from '../errors/codes.ts';

export interface SspiStatusRow {
  readonly status: number;
  readonly symbol: string;
  readonly code: ErrorCode;
  readonly says: string;
  readonly hint: string;
}

const GIVE_NAME = 'Sign in to the domain, or give a name with --user.';
const HOST_NAME =
  'Name the proxy by the full host name it has in the domain; its administrator may have to register the service name.';
const NETWORK = 'Connect to the company’s network (VPN), or give a name and a password.';
const CLOCK = 'Set this machine’s clock right: Kerberos allows 5 minutes.';
const PASSWORD = 'Check the name and the password: each wrong try counts towards a lockout.';
const CHANGE = 'Change the password, then try again.';
const ADMINISTRATOR = 'Ask your administrator.';
const KEYTAB = 'The proxy’s administrator must give the service name to the account that runs it.';
const SERVER = 'Something between here and the server may change what it sends.';
const REPORT = 'This is a fault in Sallyport: please report it.';
const WINDOWS = 'Try again; when it stays, look at the system’s event log (LSA).';
const POLICY = 'A policy of your company forbids it: ask your administrator.';
const BINDING =
  'Something between here and the server opens the TLS connection: ask your administrator.';
const CARD = 'Sign in to Windows with the smart card, or give a name with --user.';

/** One row a number; what is missing is SIGN_ON_FAILED with the number as its symbol. */
export const SSPI_STATUSES: readonly SspiStatusRow[] = [
  row(
    0x8009_0300,
    'SEC_E_INSUFFICIENT_MEMORY',
    'SIGN_ON_FAILED',
    'Windows’ security service is out of memory',
    WINDOWS,
  ),
  row(
    0x8009_0301,
    'SEC_E_INVALID_HANDLE',
    'SIGN_ON_FAILED',
    'The sign-on was used after its end',
    REPORT,
  ),
  row(
    0x8009_0302,
    'SEC_E_UNSUPPORTED_FUNCTION',
    'SIGN_ON_UNAVAILABLE',
    'The security package cannot do what was asked of it',
    GIVE_NAME,
  ),
  row(
    0x8009_0303,
    'SEC_E_TARGET_UNKNOWN',
    'SPN_UNKNOWN',
    'The domain does not know the service name %s, or no domain controller is in reach',
    HOST_NAME,
  ),
  row(
    0x8009_0304,
    'SEC_E_INTERNAL_ERROR',
    'SIGN_ON_FAILED',
    'Windows’ security service failed',
    WINDOWS,
  ),
  row(
    0x8009_0305,
    'SEC_E_SECPKG_NOT_FOUND',
    'SIGN_ON_UNAVAILABLE',
    'The security package is not on this machine',
    GIVE_NAME,
  ),
  row(
    0x8009_0306,
    'SEC_E_NOT_OWNER',
    'SIGN_ON_FAILED',
    'The credentials belong to another process',
    REPORT,
  ),
  row(
    0x8009_0307,
    'SEC_E_CANNOT_INSTALL',
    'SIGN_ON_UNAVAILABLE',
    'The security package cannot be started',
    WINDOWS,
  ),
  row(
    0x8009_0308,
    'SEC_E_INVALID_TOKEN',
    'CHALLENGE_INVALID',
    'The challenge for %s is malformed',
    SERVER,
  ),
  row(
    0x8009_0309,
    'SEC_E_CANNOT_PACK',
    'SIGN_ON_FAILED',
    'The security package cannot write its token',
    WINDOWS,
  ),
  row(
    0x8009_030a,
    'SEC_E_QOP_NOT_SUPPORTED',
    'SIGN_ON_FAILED',
    'The security package lacks the protection that was asked for',
    REPORT,
  ),
  row(
    0x8009_030b,
    'SEC_E_NO_IMPERSONATION',
    'SIGN_ON_FAILED',
    'This process may not act as the user',
    ADMINISTRATOR,
  ),
  row(
    0x8009_030c,
    'SEC_E_LOGON_DENIED',
    'CREDENTIALS_REFUSED',
    'The name or the password was refused',
    PASSWORD,
  ),
  row(
    0x8009_030d,
    'SEC_E_UNKNOWN_CREDENTIALS',
    'SIGN_ON_MISSING',
    'Windows does not know the credentials of this process',
    GIVE_NAME,
  ),
  row(
    0x8009_030e,
    'SEC_E_NO_CREDENTIALS',
    'SIGN_ON_MISSING',
    'There are no credentials for %s: nobody is signed in to a domain here',
    GIVE_NAME,
  ),
  row(
    0x8009_030f,
    'SEC_E_MESSAGE_ALTERED',
    'CHALLENGE_INVALID',
    'The challenge for %s was changed on its way',
    SERVER,
  ),
  row(
    0x8009_0310,
    'SEC_E_OUT_OF_SEQUENCE',
    'CHALLENGE_INVALID',
    'The challenge for %s came out of turn',
    SERVER,
  ),
  row(
    0x8009_0311,
    'SEC_E_NO_AUTHENTICATING_AUTHORITY',
    'KDC_UNREACHABLE',
    'No domain controller answers',
    NETWORK,
  ),
  row(
    0x8009_0316,
    'SEC_E_BAD_PKGID',
    'SIGN_ON_UNAVAILABLE',
    'The security package is not on this machine',
    GIVE_NAME,
  ),
  row(
    0x8009_0317,
    'SEC_E_CONTEXT_EXPIRED',
    'TICKET_EXPIRED',
    'The ticket for %s has expired',
    'Lock and unlock the screen, or sign in again.',
  ),
  row(
    0x8009_0318,
    'SEC_E_INCOMPLETE_MESSAGE',
    'CHALLENGE_INVALID',
    'The challenge for %s is cut off',
    SERVER,
  ),
  row(
    0x8009_0320,
    'SEC_E_INCOMPLETE_CREDENTIALS',
    'SIGN_ON_MISSING',
    'The credentials are not complete',
    GIVE_NAME,
  ),
  row(
    0x8009_0321,
    'SEC_E_BUFFER_TOO_SMALL',
    'SIGN_ON_FAILED',
    'The token is larger than the security package said',
    REPORT,
  ),
  row(
    0x8009_0322,
    'SEC_E_WRONG_PRINCIPAL',
    'TICKET_REFUSED',
    'The service name %s belongs to another account than the server’s',
    KEYTAB,
  ),
  row(
    0x8009_0324,
    'SEC_E_TIME_SKEW',
    'CLOCK_SKEW',
    'The clocks of this machine and the domain differ by more than 5 minutes',
    CLOCK,
  ),
  row(
    0x8009_0325,
    'SEC_E_UNTRUSTED_ROOT',
    'SIGN_ON_FAILED',
    'The domain controller’s certificate has an unknown issuer',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0326,
    'SEC_E_ILLEGAL_MESSAGE',
    'CHALLENGE_INVALID',
    'The challenge for %s breaks its format',
    SERVER,
  ),
  row(
    0x8009_0329,
    'SEC_E_ENCRYPT_FAILURE',
    'SIGN_ON_FAILED',
    'The token cannot be encrypted',
    WINDOWS,
  ),
  row(
    0x8009_0330,
    'SEC_E_DECRYPT_FAILURE',
    'CHALLENGE_INVALID',
    'The server’s token cannot be decrypted',
    SERVER,
  ),
  row(
    0x8009_0331,
    'SEC_E_ALGORITHM_MISMATCH',
    'SIGN_ON_FAILED',
    'This machine and the server share no encryption',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0332,
    'SEC_E_SECURITY_QOS_FAILED',
    'SERVER_UNPROVEN',
    'The server refuses the protection that was asked for',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0333,
    'SEC_E_UNFINISHED_CONTEXT_DELETED',
    'SIGN_ON_FAILED',
    'The sign-on was ended before its time',
    REPORT,
  ),
  row(
    0x8009_0334,
    'SEC_E_NO_TGT_REPLY',
    'SIGN_ON_FAILED',
    'The server has no ticket of its own to answer with',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0336,
    'SEC_E_WRONG_CREDENTIAL_HANDLE',
    'SIGN_ON_FAILED',
    'The credentials are not those the sign-on began with',
    REPORT,
  ),
  row(
    0x8009_0338,
    'SEC_E_MAX_REFERRALS_EXCEEDED',
    'SPN_UNKNOWN',
    'The domains refer each other for the service name %s without end',
    ADMINISTRATOR,
  ),
  row(
    0x8009_033a,
    'SEC_E_STRONG_CRYPTO_NOT_SUPPORTED',
    'SIGN_ON_FAILED',
    'This machine lacks the encryption the domain asks for',
    ADMINISTRATOR,
  ),
  row(
    0x8009_033b,
    'SEC_E_TOO_MANY_PRINCIPALS',
    'SIGN_ON_FAILED',
    'The domain controller’s answer names several users',
    ADMINISTRATOR,
  ),
  row(
    0x8009_033e,
    'SEC_E_SMARTCARD_LOGON_REQUIRED',
    'CREDENTIALS_REFUSED',
    'The account may sign on by smart card only',
    CARD,
  ),
  row(
    0x8009_033f,
    'SEC_E_SHUTDOWN_IN_PROGRESS',
    'SIGN_ON_FAILED',
    'The machine is being shut down',
    'Try again after the restart.',
  ),
  row(
    0x8009_0340,
    'SEC_E_KDC_INVALID_REQUEST',
    'SIGN_ON_FAILED',
    'The domain controller does not understand the request',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0341,
    'SEC_E_KDC_UNABLE_TO_REFER',
    'SPN_UNKNOWN',
    'The domain does not know where the service name %s belongs',
    HOST_NAME,
  ),
  row(
    0x8009_0342,
    'SEC_E_KDC_UNKNOWN_ETYPE',
    'SIGN_ON_FAILED',
    'The account of %s lacks the encryption this machine wants',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0343,
    'SEC_E_UNSUPPORTED_PREAUTH',
    'SIGN_ON_FAILED',
    'The domain controller asks for a proof this machine cannot give',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0345,
    'SEC_E_DELEGATION_REQUIRED',
    'SIGN_ON_FAILED',
    'The server wants to act as the user elsewhere',
    'Sallyport lets no proxy do that.',
  ),
  row(
    0x8009_0346,
    'SEC_E_BAD_BINDINGS',
    'SIGN_ON_FAILED',
    'The sign-on is bound to another TLS connection than the server’s',
    BINDING,
  ),
  row(
    0x8009_0347,
    'SEC_E_MULTIPLE_ACCOUNTS',
    'SPN_UNKNOWN',
    'Several accounts of the domain claim the service name %s',
    ADMINISTRATOR,
  ),
  row(
    0x8009_0348,
    'SEC_E_NO_KERB_KEY',
    'SIGN_ON_FAILED',
    'The account has no Kerberos key',
    CHANGE,
  ),
  row(
    0x8009_0350,
    'SEC_E_DOWNGRADE_DETECTED',
    'KDC_UNREACHABLE',
    'No domain controller can be asked, or somebody keeps Kerberos from working',
    NETWORK,
  ),
  row(
    0x8009_0354,
    'SEC_E_PKINIT_CLIENT_FAILURE',
    'CREDENTIALS_REFUSED',
    'The certificate of the smart card was refused',
    CARD,
  ),
  row(
    0x8009_0355,
    'SEC_E_SMARTCARD_CERT_EXPIRED',
    'CREDENTIALS_REFUSED',
    'The certificate of the smart card has expired',
    CARD,
  ),
  row(
    0x8009_0357,
    'SEC_E_CROSSREALM_DELEGATION_FAILURE',
    'SIGN_ON_FAILED',
    'The server may not act as a user of another domain',
    ADMINISTRATOR,
  ),
  row(
    0x8009_035d,
    'SEC_E_INVALID_PARAMETER',
    'SIGN_ON_FAILED',
    'The security package refuses how it was called',
    REPORT,
  ),
  row(
    0x8009_035e,
    'SEC_E_DELEGATION_POLICY',
    'SIGN_ON_FAILED',
    'A policy keeps %s from acting as the user',
    POLICY,
  ),
  row(
    0x8009_035f,
    'SEC_E_POLICY_NLTM_ONLY',
    'SIGN_ON_FAILED',
    'A policy allows nothing but NTLM for %s',
    POLICY,
  ),
  row(
    0x8009_0361,
    'SEC_E_NO_CONTEXT',
    'SERVER_UNPROVEN',
    'The server’s identity cannot be checked without the sign-on’s own connection',
    SERVER,
  ),
  row(
    0x8009_0362,
    'SEC_E_PKU2U_CERT_FAILURE',
    'SIGN_ON_FAILED',
    'The certificate of the user’s cloud account was refused',
    GIVE_NAME,
  ),
  row(
    0x8009_0363,
    'SEC_E_MUTUAL_AUTH_FAILED',
    'SERVER_UNPROVEN',
    'The server could not prove that it is %s',
    SERVER,
  ),
  row(
    0xc000_0001,
    'STATUS_UNSUCCESSFUL',
    'SIGN_ON_FAILED',
    'Windows’ security service failed without a reason',
    WINDOWS,
  ),
  row(
    0xc000_005e,
    'STATUS_NO_LOGON_SERVERS',
    'KDC_UNREACHABLE',
    'No domain controller answers',
    NETWORK,
  ),
  row(
    0xc000_0064,
    'STATUS_NO_SUCH_USER',
    'CREDENTIALS_REFUSED',
    'The domain does not know the user',
    PASSWORD,
  ),
  row(
    0xc000_006a,
    'STATUS_WRONG_PASSWORD',
    'CREDENTIALS_REFUSED',
    'The password was refused',
    PASSWORD,
  ),
  row(
    0xc000_006d,
    'STATUS_LOGON_FAILURE',
    'CREDENTIALS_REFUSED',
    'The name or the password was refused',
    PASSWORD,
  ),
  row(
    0xc000_006e,
    'STATUS_ACCOUNT_RESTRICTION',
    'ACCOUNT_DISABLED',
    'A restriction keeps the account from signing on',
    ADMINISTRATOR,
  ),
  row(
    0xc000_0071,
    'STATUS_PASSWORD_EXPIRED',
    'PASSWORD_EXPIRED',
    'The password has expired',
    CHANGE,
  ),
  row(
    0xc000_0072,
    'STATUS_ACCOUNT_DISABLED',
    'ACCOUNT_DISABLED',
    'The account is disabled',
    ADMINISTRATOR,
  ),
  row(
    0xc000_0133,
    'STATUS_TIME_DIFFERENCE_AT_DC',
    'CLOCK_SKEW',
    'The clocks of this machine and the domain differ by more than 5 minutes',
    CLOCK,
  ),
  row(
    0xc000_0193,
    'STATUS_ACCOUNT_EXPIRED',
    'ACCOUNT_DISABLED',
    'The account has expired',
    ADMINISTRATOR,
  ),
  row(
    0xc000_0224,
    'STATUS_PASSWORD_MUST_CHANGE',
    'PASSWORD_EXPIRED',
    'The password must be changed',
    CHANGE,
  ),
  row(
    0xc000_0234,
    'STATUS_ACCOUNT_LOCKED_OUT',
    'ACCOUNT_DISABLED',
    'The account is locked',
    ADMINISTRATOR,
  ),
];

function row(
  status: number,
  symbol: string,
  code: ErrorCode,
  says: string,
  hint: string,
): SspiStatusRow {
  return { status, symbol, code, says, hint };
}
