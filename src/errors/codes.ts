// The table of every failure Sallyport raises on purpose: whose turn it is, and how a command ends.
// `docs/errors.md` is held against this table by a test. Messages are composed where the error is raised.

/** Whose turn it is: who can do something about the failure. */
export type Blame =
  | 'config'
  | 'credentials'
  | 'network'
  | 'platform'
  | 'proxy'
  | 'origin'
  | 'user'
  | 'us';

/** How a command ends; `cli/exit-codes.ts` gives each a number. */
export type Outcome =
  | 'internal'
  | 'usage'
  | 'no-proxy'
  | 'credentials-refused'
  | 'proxy-refused'
  | 'network'
  | 'http-error'
  | 'integrity'
  | 'output'
  | 'not-started'
  | 'interrupted';

interface ErrorCodeRow {
  readonly blame: Blame;
  readonly outcome: Outcome;
  readonly summary: string;
}

export const ERROR_CODES = {
  // The words of the caller
  USAGE: {
    blame: 'config',
    outcome: 'usage',
    summary: 'The command line cannot be understood',
  },
  URL_INVALID: {
    blame: 'config',
    outcome: 'usage',
    summary: 'The target is not an http or https URL with a host',
  },
  HEADER_INVALID: {
    blame: 'config',
    outcome: 'usage',
    summary: 'A header has a line break, a NUL or an illegal name',
  },
  PROXY_URL_INVALID: {
    blame: 'config',
    outcome: 'usage',
    summary: 'A proxy URL cannot be understood',
  },
  NO_PROXY_INVALID: {
    blame: 'config',
    outcome: 'usage',
    summary: 'An entry of the bypass list cannot be understood',
  },
  CONFIG_INVALID: {
    blame: 'config',
    outcome: 'usage',
    summary: 'The configuration file cannot be read or understood',
  },
  OPTION_INVALID: {
    blame: 'config',
    outcome: 'usage',
    summary: 'An option has a value it cannot have',
  },
  SERVICE_ACCOUNT: {
    blame: 'config',
    outcome: 'usage',
    summary: 'The local proxy was started by a Windows service account that is the machine',
  },
  CA_UNREADABLE: {
    blame: 'config',
    outcome: 'usage',
    summary: 'The file of certificate authorities cannot be read',
  },
  UPLOAD_UNREADABLE: {
    blame: 'config',
    outcome: 'usage',
    summary: 'The file that is to be uploaded cannot be read',
  },
  BODY_NOT_REPLAYABLE: {
    blame: 'config',
    outcome: 'proxy-refused',
    summary: 'The upload was consumed before the proxy asked for sign-on, and cannot be sent again',
  },

  // Credentials and the choice of a scheme
  CREDENTIALS_MISSING: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The proxy asks for sign-on and no credentials were given',
  },
  CREDENTIALS_INVALID: {
    blame: 'credentials',
    outcome: 'usage',
    summary: 'The credentials cannot be used by this scheme',
  },
  CREDENTIALS_REFUSED: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The credentials were refused',
  },
  BASIC_NOT_ALLOWED: {
    blame: 'config',
    outcome: 'proxy-refused',
    summary: 'Only Basic is left, and Basic was not allowed',
  },
  SCHEME_NOT_ALLOWED: {
    blame: 'config',
    outcome: 'proxy-refused',
    summary: 'None of the offered schemes is on the allow-list',
  },
  SCHEME_UNSUPPORTED: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'None of the offered schemes can be answered',
  },
  KERBEROS_ONLY: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The proxy offers only Kerberos',
  },
  SIGN_ON_MISSING: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The operating system has no sign-on to offer: nobody is signed in to a domain here',
  },
  SIGN_ON_UNAVAILABLE: {
    blame: 'platform',
    outcome: 'credentials-refused',
    summary: 'The operating system’s security library cannot be used',
  },
  SIGN_ON_FAILED: {
    blame: 'platform',
    outcome: 'credentials-refused',
    summary: 'The operating system’s security library failed',
  },
  SIGN_ON_NOT_TRUSTED: {
    blame: 'config',
    outcome: 'proxy-refused',
    summary: 'The user’s own sign-on is not given to this host',
  },
  TICKET_MISSING: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'There is no Kerberos ticket',
  },
  TICKET_EXPIRED: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The Kerberos ticket has expired',
  },
  TICKET_REFUSED: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The server refused a valid Kerberos ticket',
  },
  SPN_UNKNOWN: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The domain does not know the service name of the server',
  },
  KDC_UNREACHABLE: {
    blame: 'network',
    outcome: 'network',
    summary: 'No domain controller answers',
  },
  CLOCK_SKEW: {
    blame: 'platform',
    outcome: 'credentials-refused',
    summary: 'The clocks of this machine and the domain differ by more than 5 minutes',
  },
  ACCOUNT_DISABLED: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The account is disabled, locked or expired',
  },
  PASSWORD_EXPIRED: {
    blame: 'credentials',
    outcome: 'credentials-refused',
    summary: 'The password has expired and must be changed',
  },
  SERVER_UNPROVEN: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The server could not prove that it is who it says',
  },
  KEYRING_FAILED: {
    blame: 'platform',
    outcome: 'credentials-refused',
    summary: 'The keyring of the operating system cannot be used',
  },
  ORIGIN_NEEDS_TUNNEL: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The proxy does not keep an origin sign-on on one connection',
  },

  // The proxy
  PROXY_UNREACHABLE: {
    blame: 'network',
    outcome: 'no-proxy',
    summary: 'The proxy cannot be reached',
  },
  PROXY_TLS_FAILED: {
    blame: 'proxy',
    outcome: 'no-proxy',
    summary: 'TLS with the proxy failed',
  },
  PROXY_DENIED: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The proxy denies this URL to an identity it accepts elsewhere',
  },
  PROXY_REFUSED: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The proxy refused to open the tunnel',
  },
  PROXY_GARBLED: {
    blame: 'proxy',
    outcome: 'network',
    summary: 'The answer is not HTTP, or breaks its rules',
  },
  HEAD_TOO_LARGE: {
    blame: 'proxy',
    outcome: 'network',
    summary: 'The head of an answer is larger than 64 KiB',
  },
  CHALLENGE_INVALID: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'A sign-on challenge is malformed',
  },
  CHALLENGE_TOO_LARGE: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'A sign-on challenge is larger than 64 KiB',
  },
  HANDSHAKE_CUT: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The connection was closed between the legs of a sign-on',
  },
  HANDSHAKE_LOOP: {
    blame: 'proxy',
    outcome: 'proxy-refused',
    summary: 'The sign-on does not come to an end',
  },

  // The network and the origin
  CONNECT_FAILED: {
    blame: 'network',
    outcome: 'network',
    summary: 'The origin cannot be reached',
  },
  TLS_FAILED: {
    blame: 'origin',
    outcome: 'network',
    summary: 'TLS with the origin failed',
  },
  CONNECTION_LOST: {
    blame: 'network',
    outcome: 'network',
    summary: 'The connection broke before the answer was complete',
  },
  TIMEOUT: {
    blame: 'network',
    outcome: 'network',
    summary: 'Nothing happened for too long',
  },
  RESPONSE_INVALID: {
    blame: 'origin',
    outcome: 'network',
    summary: 'The origin answered something that is not HTTP',
  },
  ORIGIN_DENIED: {
    blame: 'origin',
    outcome: 'http-error',
    summary: 'The origin denies this URL to an identity it accepts elsewhere',
  },
  HTTP_STATUS: {
    blame: 'origin',
    outcome: 'http-error',
    summary: 'The origin answered with an error status',
  },
  TOO_MANY_REDIRECTS: {
    blame: 'origin',
    outcome: 'http-error',
    summary: 'More than 10 redirects',
  },
  BODY_INCOMPLETE: {
    blame: 'network',
    outcome: 'integrity',
    summary: 'The body ended before its announced length',
  },
  DIGEST_MISMATCH: {
    blame: 'origin',
    outcome: 'integrity',
    summary: 'What was downloaded does not have the digest it should have',
  },

  // This machine
  PROGRAM_NOT_STARTED: {
    blame: 'config',
    outcome: 'not-started',
    summary: 'The program to be run cannot be started',
  },
  OUTPUT_FAILED: {
    blame: 'platform',
    outcome: 'output',
    summary: 'The output file cannot be written',
  },
  UPLOAD_CHANGED: {
    blame: 'platform',
    outcome: 'integrity',
    summary: 'The file was changed while it was uploaded',
  },
  INTERRUPTED: {
    blame: 'user',
    outcome: 'interrupted',
    summary: 'Ctrl-C or another signal ended it',
  },
  UNEXPECTED: {
    blame: 'us',
    outcome: 'internal',
    summary: 'Something happened that Sallyport has no name for',
  },
  CRYPTO_UNAVAILABLE: {
    blame: 'platform',
    outcome: 'credentials-refused',
    summary: 'This Node build forbids the hash NTLM is made of (FIPS mode)',
  },
} as const satisfies Record<string, ErrorCodeRow>;

/** A stable name of a failure: match on it, never on a message. */
export type ErrorCode = keyof typeof ERROR_CODES;
