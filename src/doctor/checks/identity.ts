// Who would sign on to the proxy, what may go to it, and whether the operating system has something to sign on with. Makes
// first tokens and throws them away; sends nothing to the proxy.
import type { Identity, SystemIdentity } from '../../auth/credentials.ts';
import type { Mechanism } from '../../auth/mechanisms.ts';
import type { SignOnRule } from '../../auth/sign-on-rules.ts';
import type { SallyportError } from '../../errors/sallyport-error.ts';
import type { ProxyAddress, RouteSource } from '../../route/route.ts';
import { beginSession } from '../../upstream/first-token.ts';
import { serviceNames } from '../../upstream/service-names.ts';
import type { Check, Examination } from '../examination.ts';
import type { Finding } from '../findings.ts';
import { asError, failed, finding } from '../findings.ts';

export const identityCheck: Check = {
  id: 'identity',
  doing: 'looking for a sign-on',
  /** A Kerberos call may wait 10 s for a domain controller. */
  limitMs: 25_000,
  isOnTheWay: false,
  skip: (exam) => (exam.proxy === null ? exam.withoutProxy : null),
  run: async (exam) => {
    const { route, settings } = exam;
    if (route?.kind !== 'proxy') {
      return [];
    }
    const { proxy, source } = route;
    const identity = await settings.identityFor(proxy);
    const rule = settings.ruleFor(proxy, source);
    return [
      who(identity, settings.userFor(proxy)),
      ...(identity === null ? [] : [ruled(identity, rule, source)]),
      ...(identity?.kind === 'system' ? await systemSignOn(exam, proxy, identity, rule) : []),
    ];
  },
};

function who(identity: Identity | null, user: string | null): Finding {
  if (identity?.kind === 'system') {
    return finding('identity', 'ok', 'The signed-in user signs on, no password is asked for', {
      data: { kind: 'system' },
    });
  }
  if (identity !== null) {
    return finding('identity', 'ok', `${identity.typed} signs on with a password`, {
      data: { kind: 'password', user: identity.typed },
    });
  }
  return user === null
    ? finding(
        'identity',
        'note',
        'Nobody signs on: there is no name, and the system’s is turned off',
      )
    : finding('identity', 'note', `There is no password for ${user}`, {
        next: 'Run doctor at a terminal, where it asks, or set SALLYPORT_PASSWORD.',
        data: { kind: 'password', user },
      });
}

function ruled({ kind }: Identity, rule: SignOnRule, source: RouteSource): Finding {
  const { password, kerberos, ntlm } = rule;
  const ways =
    kind === 'password'
      ? [password ? 'the password' : '']
      : [kerberos ? 'Kerberos' : '', ntlm ? 'NTLM' : ''];
  const may = ways.filter((way) => way !== '').join(' and ');
  const isWhole = kind === 'password' ? password : kerberos && ntlm;
  return finding(
    'sign-on-rule',
    isWhole ? 'ok' : 'note',
    `It may get ${may === '' ? 'no sign-on' : may}: ${rule.rule}`,
    { data: { password, kerberos, ntlm, namedBy: source.kind } },
  );
}

/** Failing of one is a problem only where it leaves no other. */
async function systemSignOn(
  exam: Examination,
  proxy: ProxyAddress,
  identity: SystemIdentity,
  rule: SignOnRule,
): Promise<Finding[]> {
  const { allow, allowNtlm } = exam.settings;
  const tries: Attempt[] = [];
  if (rule.kerberos && allow.includes('negotiate')) {
    tries.push(await attempt(exam, proxy, identity, 'negotiate'));
  }
  if (rule.ntlm && allowNtlm) {
    tries.push(await attempt(exam, proxy, identity, 'ntlm'));
  }
  const isNeeded = exam.offers === null || exam.offers.length > 0;
  const isLost = isNeeded && tries.every(({ error }) => error !== null);
  return tries.map((one) => tell(one, isLost));
}

interface Attempt {
  readonly id: 'kerberos' | 'ntlm';
  readonly spn: string;
  readonly principal: string | null;
  readonly description: string;
  readonly error: SallyportError | null;
}

/** Kerberos asks the domain for a ticket; the first message of NTLM is made here alone. */
async function attempt(
  { settings }: Examination,
  { host }: ProxyAddress,
  identity: SystemIdentity,
  mechanism: Mechanism & ('negotiate' | 'ntlm'),
): Promise<Attempt> {
  const { securityLibrary, spn: configured, spnCanonical } = settings;
  const id = mechanism === 'ntlm' ? 'ntlm' : 'kerberos';
  const names = { ...serviceNames(host, configured, spnCanonical), known: null };
  const context = {
    identity,
    channelBindings: null,
    allowNtlm: mechanism === 'ntlm',
    delegate: false,
    securityLibrary,
    digest: null,
  };
  try {
    const { session, spn } = await beginSession(mechanism, context, names);
    const { principal, description } = session;
    session[Symbol.dispose]();
    return { id, spn, principal, description, error: null };
  } catch (thrown) {
    const error = asError(thrown);
    return { id, spn: names.typed, principal: null, description: '', error };
  }
}

function tell({ id, spn, principal, description, error }: Attempt, isLost: boolean): Finding {
  const isKerberos = id === 'kerberos';
  if (error !== null) {
    const data = { ...(isKerberos && { spn }), ...(error.native && { native: error.native }) };
    const { next: _next, ...note } = failed(id, error, { data }, 'note');
    return isLost ? failed(id, error, { data }) : note;
  }
  const name = principal ?? 'the signed-in user';
  return finding(
    id,
    'ok',
    isKerberos
      ? `There is a ticket for ${spn}, as ${name}`
      : `There are NTLM credentials of the system, as ${name}`,
    { detail: [`${description}.`], data: { principal, ...(isKerberos && { spn }) } },
  );
}
