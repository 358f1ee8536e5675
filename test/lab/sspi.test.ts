// Signing on by SSPI: Windows Node under Wine with Windows' default credentials (a ticket; winbind's memory) and with
// names and passwords, and the same code on WinPR. Squid says who came; nothing of the product but the context takes part.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tlsServerEndPoint } from '../../src/auth/tls-server-end-point.ts';
import { parseAuthenticateMessage } from '../../src/ntlm/authenticate-message.ts';
import { AV_ID, findAvValue } from '../../src/ntlm/av-pairs.ts';
import { ntlmChannelBinding } from '../../src/ntlm/channel-binding.ts';
import { parseNtlmv2Response } from '../../src/ntlm/ntlmv2-response.ts';
import { finalLegs, proxyLog } from './access-log.ts';
import { outcomesOf } from './json-lines.ts';
import { ensureLab, LAB } from './lab.ts';
import { krb5Config, silentKdc } from './silent-kdc.ts';
import type { SspiAction, SspiOutcome, SspiRequest } from './windows/sspi-program.ts';
import { endWindows, runOnWindows } from './windows.ts';
import { runWithWinpr, WINPR } from './winpr.ts';

const PROGRAM = 'test/lab/windows/sspi-program.ts';
const lab = await ensureLab();
const { proxies, users } = LAB;
type Proxy = 'all' | 'ntlm' | 'kerberos' | 'negotiate' | 'spnego' | 'ntlmClose' | 'tls' | 'apache';

const REQUEST: SspiRequest = {
  package: 'negotiate',
  spn: 'HTTP/proxy.corp.example',
  credentials: null,
  channelBindings: null,
  allowNtlm: true,
  mutual: false,
  delegate: false,
};
const TICKET = { mechanism: 'Kerberos', complete: true, statuses: [200] };
const NTLM = { mechanism: 'NTLM', complete: true, statuses: [407, 200], serverProved: false };

afterAll(endWindows);

describe.skipIf(!lab.available).each(['20', '22'] as const)('Windows Node %s', (node) => {
  const windows = async (
    actions: readonly SspiAction[],
    options: { readonly as?: 'root' | 'alice'; readonly env?: Record<string, string> } = {},
  ) =>
    outcomesOf<SspiOutcome>(
      await runOnWindows({ node, program: PROGRAM, input: order({ actions }), ...options }),
    );

  it('signs on with the ticket of the signed-in user, in one leg', async () => {
    const marks = {
      kerberos: await proxyLog('kerberos').mark(),
      all: await proxyLog('all').mark(),
    };
    const ca = readFileSync(LAB.ca, 'utf8');
    const channelBindings = bindingsOfLab();
    const outcomes = await windows([
      signOn('negotiate', {}),
      signOn('kerberos', {}),
      signOn('kerberos', { package: 'kerberos' }),
      signOn('all', {}),
      signOn('negotiate', { allowNtlm: false }),
      signOn('tls', { channelBindings }, { ca }),
    ]);
    expect(outcomes).toMatchObject(Array(6).fill(TICKET));
    expect(finalLegs(await marks.kerberos.entries(2))).toMatchObject(
      Array(2).fill({ user: 'alice@CORP.EXAMPLE', status: 200 }),
    );
    expect(finalLegs(await marks.all.entries(2))).toMatchObject(
      Array(2).fill({ user: 'alice@CORP.EXAMPLE', status: 200 }),
    );
  });

  it('has a server prove itself that can, and does without where it cannot', async () => {
    const spn = 'HTTP/aproxy.corp.example';
    const target = `GET ${LAB.origins.http}/small.txt`;
    const [proved, silent] = await windows([
      signOn('apache', { spn, mutual: true }, { target }),
      signOn('negotiate', { mutual: true }),
    ]);
    expect(proved).toMatchObject({ ...TICKET, serverProved: true });
    expect(silent).toMatchObject({ ...TICKET, complete: false, serverProved: false });
  });

  it('signs on with the NTLM credentials Windows keeps, as the user they belong to', async () => {
    const mark = await proxyLog('ntlm').mark();
    const actions = [
      signOn('ntlm', { package: 'ntlm' }),
      signOn('ntlmClose', { package: 'ntlm' }, { closes: true }),
      signOn('negotiate', { package: 'negotiate-ntlm' }),
      signOn('spnego', { package: 'negotiate-ntlm' }),
      signOn('negotiate', {}),
    ];
    const noTicket = { KRB5CCNAME: 'FILE:/nonexistent' };
    const outcomes = await windows(actions, { as: 'alice', env: noTicket });
    expect(outcomes).toMatchObject([
      NTLM,
      { ...NTLM, statuses: [407, 407, 200] },
      NTLM,
      NTLM,
      // Wine's Negotiate keeps these credentials to itself; Windows' does not.
      { error: { code: 'SIGN_ON_MISSING', symbol: 'SEC_E_NO_CREDENTIALS' } },
    ]);
    expect(finalLegs(await mark.entries(2))).toMatchObject([{ user: 'CORP\\alice', status: 200 }]);
  });

  it('signs on with a name and a password', async () => {
    const outcomes = await windows(explicitActions());
    expect(outcomes).toMatchObject(EXPLICIT_OUTCOMES);
  });

  it('asks the domain for a ticket by name and password', async () => {
    const { domain, ...bob } = credentialsOf('bob');
    const credentials = { ...bob, domain: `${domain}.EXAMPLE` };
    const wrong = { ...credentials, password: 'wrong' };
    const actions = [
      signOn('kerberos', { credentials, package: 'kerberos' }),
      signOn('kerberos', { credentials, allowNtlm: false }),
      signOn('kerberos', { credentials: wrong, package: 'kerberos' }),
    ];
    const mark = await proxyLog('kerberos').mark();
    // Wine puts the ticket where the user's own would be.
    const outcomes = await windows(actions, { env: { KRB5CCNAME: 'MEMORY:bob' } });
    expect(outcomes).toMatchObject([
      TICKET,
      TICKET,
      // Windows says SEC_E_LOGON_DENIED.
      { error: { code: 'SIGN_ON_FAILED', symbol: 'STATUS_UNSUCCESSFUL' } },
    ]);
    expect(finalLegs(await mark.entries(2))).toMatchObject(
      Array(2).fill({ user: 'bob@CORP.EXAMPLE', status: 200 }),
    );
  });

  it('gives no NTLM token away where NTLM is not allowed', async () => {
    const credentials = credentialsOf('bob');
    const mark = await proxyLog('spnego').mark();
    const outcomes = await windows([
      signOn('spnego', { credentials, allowNtlm: false }),
      signOn('ntlm', { credentials, allowNtlm: false, package: 'ntlm' }),
    ]);
    const refused = { error: { code: 'SIGN_ON_MISSING' } };
    expect(outcomes).toMatchObject([refused, refused]);
    await windows([signOn('spnego', {})]);
    expect(await mark.entries(1)).toHaveLength(1);
  });

  it('answers a challenge although Wine drops the channel bindings', async () => {
    const [bound] = await windows([answer(bindingsOfLab())]);
    expect(bindingsIn(bound)).toBe('00'.repeat(16));
  });

  it('leaves the event loop alone while a domain controller is silent', async () => {
    await using kdc = await silentKdc();
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-sspi-'));
    const spn = 'HTTP/never-asked-for.corp.example';
    const request: SspiRequest = { ...REQUEST, spn, package: 'kerberos' };
    const run = await runOnWindows({
      node,
      program: PROGRAM,
      input: order({ actions: [{ action: 'giveUp', name: 'giveUp', request, afterMs: 2_000 }] }),
      env: { KRB5_CONFIG: krb5Config(folder, kdc.port) },
    });
    rmSync(folder, { recursive: true });
    const { turns = 0, longestPauseMs } = JSON.parse(run.stdout) as SspiOutcome;
    expect(turns).toBeGreaterThan(20);
    expect(longestPauseMs).toBeLessThan(500);
  });

  it('tells an unknown service name from missing credentials', async () => {
    const spn = 'HTTP/nosuch.corp.example';
    const outcomes = await windows([signOn('kerberos', { spn, package: 'kerberos' })]);
    // Wine folds the KDC's answer into this one; Windows says SEC_E_TARGET_UNKNOWN.
    expect(outcomes).toMatchObject([
      { error: { code: 'SIGN_ON_FAILED', symbol: 'SEC_E_INTERNAL_ERROR' } },
    ]);
  });
});

describe.skipIf(!lab.available)('WinPR', () => {
  const winpr = async (actions: readonly SspiAction[]) =>
    outcomesOf<SspiOutcome>(
      await runWithWinpr({ program: PROGRAM, input: order({ library: WINPR, actions }) }),
    );

  it('signs on with a name and a password through the same code', async () => {
    const mark = await proxyLog('ntlm').mark();
    expect(await winpr(explicitActions())).toMatchObject(EXPLICIT_OUTCOMES);
    expect(finalLegs(await mark.entries(6))).toMatchObject([
      { user: 'CORP\\bob', status: 200 },
      { user: 'CORP\\zoë', status: 200 },
      { status: 407 },
    ]);
  });

  it('binds its NTLM answer to the TLS connection', async () => {
    const [bound, free] = await winpr([answer(bindingsOfLab()), answer(null)]);
    const bindings = Buffer.from(bindingsOfLab(), 'hex');
    expect(bindingsIn(bound)).toEqual(Buffer.from(ntlmChannelBinding(bindings)).toString('hex'));
    expect(bindingsIn(free)).not.toEqual(bindingsIn(bound));
  });

  it('signs on over TLS', async () => {
    const ca = readFileSync(LAB.ca, 'utf8');
    const bound = { channelBindings: bindingsOfLab(), credentials: credentialsOf('bob') };
    const outcomes = await winpr([
      signOn('tls', { ...bound, package: 'ntlm' }, { ca }),
      signOn('tls', bound, { ca }),
    ]);
    expect(outcomes).toMatchObject([NTLM, NTLM]);
  });

  it('says which package it lacks', async () => {
    expect(await winpr([signOn('kerberos', { package: 'kerberos' })])).toMatchObject([
      { error: { code: 'SIGN_ON_UNAVAILABLE', symbol: 'SEC_E_SECPKG_NOT_FOUND' } },
    ]);
  });
});

const EXPLICIT_OUTCOMES = [
  NTLM,
  NTLM,
  NTLM,
  NTLM,
  NTLM,
  NTLM,
  // One final leg with a wrong password, and what follows it changes nothing.
  { ...NTLM, statuses: [407, 407] },
];

function explicitActions(): SspiAction[] {
  const wrong = { ...credentialsOf('bob'), password: 'wrong' };
  return [
    ...(['bob', 'zoe'] as const).flatMap((who) => {
      const credentials = credentialsOf(who);
      return [
        signOn('ntlm', { credentials, package: 'ntlm' }),
        signOn('spnego', { credentials }),
        signOn('spnego', { credentials, package: 'negotiate-ntlm' }),
      ];
    }),
    signOn('ntlm', { credentials: wrong, package: 'ntlm' }),
  ];
}

function signOn(
  proxy: Proxy,
  request: Partial<SspiRequest>,
  {
    ca,
    target = 'CONNECT origin.corp.example:8443',
    closes,
  }: {
    readonly ca?: string;
    readonly target?: string;
    readonly closes?: boolean;
  } = {},
): SspiAction {
  const { host, port } = proxies[proxy];
  return {
    action: 'signOn',
    name: `${proxy} ${request.package ?? 'negotiate'}`,
    request: { ...REQUEST, ...request },
    scheme: request.package === 'ntlm' ? 'NTLM' : 'Negotiate',
    proxy: { host, port, ...(ca === undefined ? {} : { ca }) },
    target,
    ...(closes === undefined ? {} : { closes }),
  };
}

/** A challenge of CORP, made by ntlm_auth, answered as bob. */
function answer(channelBindings: string | null): SspiAction {
  const [{ ntlm }] = JSON.parse(
    readFileSync(new URL('../fixtures/transcripts.json', import.meta.url), 'utf8'),
  ) as [{ ntlm: { type2: string } }];
  const credentials = credentialsOf('bob');
  const request: SspiRequest = { ...REQUEST, package: 'ntlm', credentials, channelBindings };
  return { action: 'answer', name: 'answer', request, token: ntlm.type2 };
}

/** MsvAvChannelBindings of an AUTHENTICATE message, in hex. */
function bindingsIn(outcome: SspiOutcome | undefined): string | undefined {
  const message = parseAuthenticateMessage(Buffer.from(outcome?.answer ?? '', 'hex'));
  const pairs = parseNtlmv2Response(message.ntResponse)?.avPairs ?? [];
  const value = findAvValue(pairs, AV_ID.CHANNEL_BINDINGS);
  return value === undefined ? undefined : Buffer.from(value).toString('hex');
}

function credentialsOf(who: 'bob' | 'zoe') {
  const { name, domain, password } = users[who];
  return { user: name, domain, password };
}

/** Of the lab's one server certificate, in hex. */
function bindingsOfLab(): string {
  const certificate = new X509Certificate(readFileSync(join(LAB.directory, 'pki/server.crt')));
  const bindings = tlsServerEndPoint(certificate.raw);
  return Buffer.from(bindings ?? []).toString('hex');
}

function order(input: { readonly library?: string; readonly actions: readonly SspiAction[] }) {
  return JSON.stringify(input);
}
