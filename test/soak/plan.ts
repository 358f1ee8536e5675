// Who stands on the stage of the soak: each proxy, what it does, and the client that goes there. Owns this table, which
// the process of the proxies and the one that is measured both read.
import type { SallyportOptions } from 'sallyport';
import type { CorporateProxyOptions } from 'sallyport/testing';

/**
 * - `calm`: nothing goes wrong, so all counts must be equal
 * - `cutting`: every sign-on is cut at one place, which costs what it costs
 * - `refusing`: the client's password is wrong
 * - `wild`: we give up at random
 * - `shaky`: a relay before it gives up at random
 */
export type Role = 'calm' | 'cutting' | 'refusing' | 'wild' | 'shaky';

export interface ProxyPlan {
  readonly role: Role;
  readonly proxy: Omit<CorporateProxyOptions, 'tls'>;
  readonly tls?: true;
  readonly client: Pick<SallyportOptions, 'user' | 'password' | 'auth' | 'allowBasicHttp'>;
}

const PASSWORD = 'Alice-Secret1';
const WRONG = 'Not-Her-Secret';
const DOMAIN_ALICE = { name: 'alice', domain: 'CORP', password: PASSWORD };
/** Without a domain: nobody could give her a ticket, so no Kerberos of this machine takes part. */
const ALICE = { name: 'alice', password: PASSWORD };

const NTLM = {
  proxy: { schemes: ['NTLM'], users: [DOMAIN_ALICE] },
  client: { user: 'CORP\\alice', password: PASSWORD },
} as const;
const RAW = {
  proxy: { schemes: ['Negotiate'], users: [ALICE], negotiate: { raw: true, wrapped: false } },
  client: { user: 'alice', password: PASSWORD },
} as const;
const SPNEGO = {
  proxy: { schemes: ['Negotiate'], users: [ALICE], negotiate: { raw: false, wrapped: true } },
  client: { user: 'alice', password: PASSWORD },
} as const;
const BASIC = {
  proxy: { schemes: ['Basic'], users: [ALICE] },
  client: { user: 'alice', password: PASSWORD, auth: 'basic', allowBasicHttp: true },
} as const;
/** A nonce is stale after some requests, and the next one comes with the answer: both go on without a refusal. */
const DIGEST = {
  proxy: { schemes: ['Digest'], users: [ALICE], digest: { nonceUses: 20 } },
  client: { user: 'alice', password: PASSWORD },
} as const;
const DIGEST_NEXT = {
  proxy: {
    schemes: ['Digest'],
    users: [ALICE],
    digest: { algorithms: ['SHA-256'], nextNonce: true },
  },
  client: { user: 'alice', password: PASSWORD },
} as const;

/** An account of its own for each scheme: a wrong password is judged once per account, whoever asks. */
const wrong = (
  { proxy, client }: typeof NTLM | typeof SPNEGO | typeof BASIC | typeof DIGEST,
  name: string,
) => ({
  role: 'refusing' as const,
  proxy: { ...proxy, users: [{ name, password: PASSWORD }] },
  client: { ...client, user: name, password: WRONG },
});

export const PLAN = {
  ntlm: { role: 'calm', ...NTLM },
  'ntlm-told': { role: 'calm', ...NTLM, client: { ...NTLM.client, auth: 'ntlm' } },
  'ntlm-tls': { role: 'calm', ...NTLM, tls: true },
  'ntlm-closing': {
    role: 'calm',
    client: NTLM.client,
    proxy: { ...NTLM.proxy, habits: ['close-on-first-407'] },
  },
  'ntlm-http10': {
    role: 'calm',
    client: NTLM.client,
    proxy: { ...NTLM.proxy, habits: ['http-1.0', 'chunked-407'] },
  },
  negotiate: { role: 'calm', ...RAW },
  'negotiate-spnego': { role: 'calm', ...SPNEGO },
  basic: { role: 'calm', ...BASIC },
  digest: { role: 'calm', ...DIGEST },
  'digest-next': { role: 'calm', ...DIGEST_NEXT },
  'cut-first': {
    role: 'cutting',
    client: NTLM.client,
    proxy: { ...NTLM.proxy, habits: ['reset-after-first-leg'] },
  },
  'cut-challenge': {
    role: 'cutting',
    client: NTLM.client,
    proxy: { ...NTLM.proxy, habits: ['close-after-challenge'] },
  },
  'cut-final': {
    role: 'cutting',
    client: NTLM.client,
    proxy: { ...NTLM.proxy, habits: ['reset-after-final-leg'] },
  },
  'wrong-ntlm': wrong(NTLM, 'bob'),
  'wrong-spnego': wrong(SPNEGO, 'carol'),
  'wrong-basic': wrong(BASIC, 'dave'),
  'wrong-digest': wrong(DIGEST, 'frank'),
  'wild-ntlm': { role: 'wild', ...NTLM },
  'wild-tls': { role: 'wild', ...NTLM, tls: true },
  'wild-spnego': { role: 'wild', ...SPNEGO },
  'wild-basic': { role: 'wild', ...BASIC },
  'wild-digest': { role: 'wild', ...DIGEST },
  'shaky-ntlm': { role: 'shaky', ...NTLM },
  'shaky-spnego': { role: 'shaky', ...SPNEGO },
  'shaky-basic': { role: 'shaky', ...BASIC },
  'shaky-digest': { role: 'shaky', ...DIGEST },
} as const satisfies Record<string, ProxyPlan>;

export type ProxyName = keyof typeof PLAN;

/** The names with this role that pass a filter, at least one. */
export function namesOf(
  role: Role,
  fits: (plan: ProxyPlan) => boolean = () => true,
): [ProxyName, ...ProxyName[]] {
  const names = (Object.keys(PLAN) as ProxyName[]).filter((name) => {
    const plan = planOf(name);
    return plan.role === role && fits(plan);
  });
  const [first, ...rest] = names;
  if (first === undefined) {
    throw new Error(`no such proxy is ${role}`);
  }
  return [first, ...rest];
}

export function planOf(name: ProxyName): ProxyPlan {
  return PLAN[name];
}

/** Who may read the guarded pages of the origin. */
export const ORIGIN_USER = { name: 'erin', password: 'Erin-Secret1' };
