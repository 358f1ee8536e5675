// Whether credentials may go to a proxy at all, judged by who named it. Pure; owns the rules of
// docs/decisions/where-sign-on-goes.md and the words `-v` and doctor tell them in.

/** Who named the proxy; the first four are people who meant it. */
export type NamedBy =
  | 'option'
  | 'sallyport-environment'
  | 'configuration'
  | 'environment'
  | 'system'
  | 'pac'
  | 'wpad'
  | 'default';

export interface SignOnFacts {
  /** Host of the proxy, lower case, and its port. */
  readonly host: string;
  readonly port: number;
  readonly namedBy: NamedBy;
  /** As the user would look for it: `--proxy`. */
  readonly sourceName: string;
  /** `host` or `host:port`, pinned by `sallyport trust` or the configuration. */
  readonly pinned: ReadonlySet<string>;
  /** `host:port` for which `sallyport login` stored a password: that one is meant for it. */
  readonly loggedIn: ReadonlySet<string>;
  /** Hosts that never get a sign-on. */
  readonly noAuth: ReadonlySet<string>;
  /** Domains of this machine and its user, lower case; for a PAC also the registrable domain of its host. */
  readonly homeDomains: readonly string[];
  /** Whether a domain controller of these answers: without one, any network can claim to be home. */
  readonly isAtHome: boolean;
}

/** What may go to this proxy, and the rule that says so. */
export interface SignOnRule {
  readonly password: boolean;
  readonly kerberos: boolean;
  /** NTLM with the user's own sign-on. */
  readonly ntlm: boolean;
  readonly rule: string;
}

const ALL = { password: true, kerberos: true, ntlm: true };

/**
 * A ticket is for one server and of no use to another, so Kerberos goes to whatever the KDC knows. An NTLM answer can be
 * relayed or guessed from, and a password typed for one proxy is not meant for the next: both want a proxy somebody named.
 */
export function signOnRule(facts: SignOnFacts): SignOnRule {
  if (isListed(facts.noAuth, facts)) {
    return only({}, `${facts.host} is in the list of hosts that get no sign-on (noAuth)`);
  }
  const rule = ruleByName(facts);
  return isListed(facts.loggedIn, facts) ? { ...rule, password: true } : rule;
}

function ruleByName(facts: SignOnFacts): SignOnRule {
  const { host, namedBy, sourceName } = facts;
  if (isListed(facts.pinned, facts)) {
    return only(ALL, `${host} is pinned (sallyport trust)`);
  }
  if (namedBy === 'wpad') {
    return only({ kerberos: true }, `${host} was found by WPAD alone: Kerberos only`);
  }
  return namedBy === 'pac' ? ruleByPac(facts) : only(ALL, `${host} was named by ${sourceName}`);
}

function ruleByPac({ host, homeDomains, isAtHome }: SignOnFacts): SignOnRule {
  const domain = homeDomains.find((home) => host === home || host.endsWith(`.${home}`));
  if (domain === undefined) {
    return only(
      { kerberos: true },
      `${host} was named by a PAC and is in no domain of this user: Kerberos only`,
    );
  }
  return isAtHome
    ? only(
        { kerberos: true, ntlm: true },
        `${host} was named by a PAC and is in ${domain}, whose domain controller answers`,
      )
    : only(
        { kerberos: true },
        `${host} was named by a PAC; no domain controller of ${domain} answers: Kerberos only`,
      );
}

function isListed(list: ReadonlySet<string>, { host, port }: SignOnFacts): boolean {
  return list.has(host) || list.has(`${host.includes(':') ? `[${host}]` : host}:${port}`);
}

function only(what: Partial<Omit<SignOnRule, 'rule'>>, rule: string): SignOnRule {
  return { password: false, kerberos: false, ntlm: false, ...what, rule };
}
