// Credentials for a GSSAPI sign-on: of the signed-in user, or Kerberos from a password. Owns the way to them and the
// errors on it; a password's ticket stays in the library's memory.
import { SallyportError } from '../errors/sallyport-error.ts';
import { readClientKeytab } from './client-keytab.ts';
import type { GssCalls } from './gssapi-calls.ts';
import { GSS_OID, isGssError, NOTHING } from './gssapi-calls.ts';
import type { GssStatus } from './gssapi-library.ts';
import type { GssName } from './gssapi-names.ts';
import { userPrincipal } from './gssapi-names.ts';
import { gssError, nativeStatus } from './gssapi-status.ts';
import type { ContextRequest, ExplicitCredentials } from './security-context.ts';

const NAME_TYPES: Readonly<Record<GssName['type'], Buffer>> = {
  'hostbased-service': GSS_OID.HOSTBASED_SERVICE,
  'kerberos-principal': GSS_OID.KERBEROS_PRINCIPAL,
  user: GSS_OID.USER_NAME,
};

export interface GssCredential {
  /** `NOTHING` where only the attempt itself will tell why there are none. */
  readonly handle: bigint;
  /** Called once, by the context that used it. */
  release(): void;
  /** Whose they are, where that is known already. */
  readonly principal: string | null;
}

/**
 * Acquires credentials.
 *
 * @throws SallyportError those of `SecurityContext.step`
 */
export async function acquireCredential(
  calls: GssCalls,
  request: ContextRequest,
): Promise<GssCredential> {
  if (request.package === 'ntlm' || request.package === 'negotiate-ntlm') {
    return acquireNtlm(calls, request);
  }
  if (request.credentials !== null) {
    return acquireFromPassword(calls, request, request.credentials);
  }
  return owned(calls, await acquireDefault(calls, request), null);
}

function owned(calls: GssCalls, handle: bigint, principal: string | null): GssCredential {
  return { handle, principal, release: () => calls.releaseCredential(handle) };
}

/** Heimdal gives no reason here: `NOTHING` lets the attempt tell. */
async function acquireDefault(calls: GssCalls, request: ContextRequest): Promise<bigint> {
  const { status, handle } = await calls.acquire(NOTHING, GSS_OID.KERBEROS);
  if (!isGssError(status)) {
    return handle;
  }
  if (calls.library.flavour !== 'MIT') {
    return acquireFromKeytab(calls, request);
  }
  const hasRealm = (await defaultRealm(calls)) !== null;
  return hasRealm ? fail(calls, status, request, null) : failWithoutRealm(status);
}

async function acquireFromKeytab(calls: GssCalls, request: ContextRequest): Promise<bigint> {
  const keytab = readClientKeytab();
  if (keytab === null || !calls.useKeytab(keytab.path)) {
    return NOTHING;
  }
  const name = importName(calls, { text: keytab.principal, type: 'user' }, request);
  try {
    const { status, handle } = await calls.acquire(name, GSS_OID.KERBEROS);
    return isGssError(status) ? NOTHING : handle;
  } finally {
    calls.releaseName(name);
  }
}

/**
 * A name for the library; the handle is the caller's to release.
 *
 * @throws SallyportError SPN_UNKNOWN when the library cannot read it
 */
export function importName(calls: GssCalls, name: GssName, request: ContextRequest): bigint {
  const { status, handle } = calls.importName(name.text, NAME_TYPES[name.type]);
  return isGssError(status) ? fail(calls, status, request, null) : handle;
}

/** In SPNEGO the credentials are of each mechanism there is: whose those of NTLM are, only NTLM's own tell. */
async function acquireNtlm(calls: GssCalls, request: ContextRequest): Promise<GssCredential> {
  if (request.credentials !== null) {
    throw new SallyportError('SIGN_ON_UNAVAILABLE', 'GSSAPI’s NTLM serves the signed-in user only');
  }
  const raw = await calls.acquire(NOTHING, GSS_OID.NTLMSSP);
  if (isGssError(raw.status)) {
    return fail(calls, raw.status, request, null);
  }
  const principal = calls.inquireCredential(raw.handle);
  if (request.package === 'ntlm') {
    return owned(calls, raw.handle, principal);
  }
  calls.releaseCredential(raw.handle);
  return owned(calls, await acquireWrappedNtlm(calls, request), principal);
}

async function acquireWrappedNtlm(calls: GssCalls, request: ContextRequest): Promise<bigint> {
  const { status, handle } = await calls.acquire(NOTHING, GSS_OID.SPNEGO);
  if (isGssError(status)) {
    return fail(calls, status, request, null);
  }
  const restricted = calls.restrictNegotiation(handle, GSS_OID.NTLMSSP);
  if (isGssError(restricted)) {
    calls.releaseCredential(handle);
    return fail(calls, restricted, request, null);
  }
  return handle;
}

async function acquireFromPassword(
  calls: GssCalls,
  request: ContextRequest,
  credentials: ExplicitCredentials,
): Promise<GssCredential> {
  const { password } = credentials;
  const principal = userPrincipal(credentials, await defaultRealm(calls));
  if (principal === null) {
    throw realmUnknown(credentials);
  }
  const lent = await calls.passwordCredentials.take(principal, password, () =>
    askForTicket(calls, request, principal, password),
  );
  return { ...lent, principal: null };
}

async function askForTicket(
  calls: GssCalls,
  request: ContextRequest,
  principal: string,
  password: string,
): Promise<bigint> {
  const name = importName(calls, { text: principal, type: 'user' }, request);
  try {
    const { status, handle } = await calls.acquireWithPassword(name, password, GSS_OID.KERBEROS);
    return isGssError(status) ? fail(calls, status, request, principal) : handle;
  } finally {
    calls.releaseName(name);
  }
}

/** GSSAPI has no call for it: a name without a realm is given the default one. */
async function defaultRealm(calls: GssCalls): Promise<string | null> {
  const probe = calls.importName('user', GSS_OID.USER_NAME);
  if (isGssError(probe.status)) {
    return null;
  }
  try {
    const canonical = await calls.canonicalName(probe.handle, GSS_OID.KERBEROS);
    const text = calls.displayName(canonical.handle) ?? '';
    calls.releaseName(canonical.handle);
    const at = text.lastIndexOf('@');
    return at === -1 || at === text.length - 1 ? null : text.slice(at + 1);
  } finally {
    calls.releaseName(probe.handle);
  }
}

function failWithoutRealm(status: GssStatus): never {
  throw new SallyportError(
    'SIGN_ON_MISSING',
    'Nobody is signed in: there is no Kerberos ticket, and this machine belongs to no Kerberos realm',
    {
      hint: 'Give a name with --user, or set default_realm in krb5.conf and run kinit.',
      native: nativeStatus(status),
    },
  );
}

function realmUnknown({ user, domain }: ExplicitCredentials): SallyportError {
  return new SallyportError(
    'SIGN_ON_MISSING',
    domain === ''
      ? `This machine belongs to no Kerberos realm, and “${user}” names none`
      : `It is not known which Kerberos realm the domain ${domain} is`,
    { hint: 'Give the name as user@REALM, or set default_realm in krb5.conf.' },
  );
}

function fail(
  calls: GssCalls,
  status: GssStatus,
  request: ContextRequest,
  principal: string | null,
): never {
  const isNtlm = request.package === 'ntlm' || request.package === 'negotiate-ntlm';
  const text = calls.statusText(status, isNtlm ? GSS_OID.NTLMSSP : GSS_OID.KERBEROS);
  throw gssError(status, text, {
    mechanism: isNtlm ? 'NTLM' : 'Kerberos',
    spn: request.spn,
    principal,
    readsAnswer: false,
    hasCredential: true,
  });
}
