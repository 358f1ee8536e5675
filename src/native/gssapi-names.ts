// Names as Kerberos wants them: services from `HTTP/host`, users from what a person types. Owns the rules by which a
// NetBIOS domain becomes a realm; asks no network.

/** How `gss_import_name` is to read a text. */
export interface GssName {
  readonly text: string;
  readonly type: 'hostbased-service' | 'kerberos-principal' | 'user';
}

/**
 * The name of a service. GSSAPI writes `HTTP@host` (RFC 2743 section 4.1); where a realm or a port is given, only the
 * principal name of Kerberos can say it.
 *
 * @param spn `HTTP/host`, `HTTP/host:port` or `HTTP/host@REALM`
 */
export function serviceName(spn: string): GssName {
  const parts = /^(?<service>[^/@]+)\/(?<host>[^/@:]+)$/u.exec(spn)?.groups;
  if (parts === undefined) {
    return { text: spn, type: 'kerberos-principal' };
  }
  const { service = '', host = '' } = parts;
  return { text: `${service}@${host.toLowerCase()}`, type: 'hostbased-service' };
}

/**
 * The principal of a person who gave a password.
 *
 * - `alice@corp.example`: realm CORP.EXAMPLE; realms of Active Directory are upper case (MS-KILE 3.1.5.7)
 * - `corp.example\alice`: realm CORP.EXAMPLE
 * - `CORP\alice`: the default realm, where its first label is CORP
 * - `alice`: the default realm
 *
 * @param user a UPN whole, with an empty domain
 * @returns `null` when it is not known which realm the user belongs to
 */
export function userPrincipal(
  { user, domain }: { readonly user: string; readonly domain: string },
  defaultRealm: string | null,
): string | null {
  if (domain === '') {
    const at = user.lastIndexOf('@');
    return at > 0 && at < user.length - 1
      ? inRealm(user.slice(0, at), user.slice(at + 1).toUpperCase())
      : inRealm(user, defaultRealm);
  }
  return inRealm(user, domain.includes('.') ? domain.toUpperCase() : realmOf(domain, defaultRealm));
}

/** `CORP` is `CORP.EXAMPLE` by convention of Active Directory; nothing but a convention, so only the default realm. */
function realmOf(netbiosDomain: string, defaultRealm: string | null): string | null {
  const [label = ''] = defaultRealm?.split('.') ?? [];
  return label.toUpperCase() === netbiosDomain.toUpperCase() ? defaultRealm : null;
}

/** Separators of principals inside a name are escaped (RFC 1964 section 2.1.1). */
function inRealm(name: string, realm: string | null): string | null {
  return realm === null ? null : `${name.replaceAll(/[\\/@]/gu, '\\$&')}@${realm}`;
}
