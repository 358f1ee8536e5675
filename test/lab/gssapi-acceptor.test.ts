// Every initiator of ours against acceptors that are not: GSSAPI of MIT and Heimdal with the lab's keytab, gss-ntlmssp with
// the lab's file of passwords. In this process, with the channel bindings of a TLS connection that need not exist. Missing
// bindings pass, and MIT and gss-ntlmssp say so by a flag, which a server would look at; Heimdal 7.8 has none.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIdentity } from '../../src/auth/credentials.ts';
import { NtlmSession } from '../../src/auth/ntlm-session.ts';
import { SpnegoSession } from '../../src/auth/spnego-session.ts';
import { loadGssapi } from '../../src/native/gssapi.ts';
import type { ContextRequest } from '../../src/native/security-context.ts';
import { Secret } from '../../src/observe/secret.ts';
import { parseNegTokenInit, parseNegTokenResp } from '../../src/spnego/neg-token.ts';
import { MECH } from '../../src/spnego/token-fields.ts';
import { formatNegTokenResp, mechTypeListDer } from '../../src/spnego/write-token.ts';
import type { AcceptorAnswer } from '../acceptors/gssapi-acceptor.ts';
import { GssapiAcceptor } from '../acceptors/gssapi-acceptor.ts';
import { ensureLab, LAB } from './lab.ts';

const lab = await ensureLab();
const SCRATCH = mkdtempSync(join(tmpdir(), 'sallyport-acceptor-'));
const LIBRARIES = { MIT: 'libgssapi_krb5.so.2', Heimdal: 'libgssapi.so.3' } as const;
type Flavour = keyof typeof LIBRARIES;
const FLAVOURS = ['MIT', 'Heimdal'] as const;
const SPN = 'HTTP/proxy.corp.example';
const BINDINGS = Buffer.from(`tls-server-end-point:${'0123456789abcdef'.repeat(2)}`);
const KERBEROS_OID = '2a864886f712010202';

/** Read by the libraries, which a worker thread's copy of it would not reach: this suite runs in a process. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  ...LAB.environment,
  KRB5_KTNAME: `FILE:${join(LAB.directory, 'krb/http.keytab')}`,
  // Replay caches would be left in /var/tmp.
  KRB5RCACHENAME: 'none:',
  KRB5RCACHETYPE: 'none',
  NTLM_USER_FILE: join(LAB.directory, 'krb/ntlm_user_file'),
};
const before = { ...process.env };

interface Initiator extends Disposable {
  step(token: Uint8Array | null): Promise<Uint8Array | null>;
}
type Open = (channelBindings: Uint8Array | null) => Initiator;

const NTLM_INITIATORS: Readonly<Record<string, Open>> = {
  'our NTLM': (channelBindings) => new NtlmSession('NTLM', ours(channelBindings)),
  'our NTLM in SPNEGO': (channelBindings) => new SpnegoSession(ours(channelBindings)),
  'gss-ntlmssp': (channelBindings) => system('MIT', { package: 'ntlm', channelBindings }),
  'gss-ntlmssp in SPNEGO': (channelBindings) =>
    system('MIT', { package: 'negotiate-ntlm', channelBindings }),
};

beforeAll(() => Object.assign(process.env, ENVIRONMENT));
afterAll(() => {
  for (const name of Object.keys(ENVIRONMENT)) {
    delete process.env[name];
  }
  Object.assign(process.env, before);
  rmSync(SCRATCH, { recursive: true, force: true });
});

describe.skipIf(!lab.available)('Kerberos, accepted by GSSAPI', () => {
  const ROWS = FLAVOURS.flatMap((flavour) =>
    FLAVOURS.flatMap((acceptor) =>
      (['negotiate', 'kerberos'] as const).map((way) => ({ flavour, acceptor, way })),
    ),
  );

  it.each(ROWS)('$flavour ($way) by $acceptor: identity, proof, binding', async (row) => {
    using context = system(row.flavour, { package: row.way, channelBindings: BINDINGS });
    using acceptor = new GssapiAcceptor(LIBRARIES[row.acceptor], BINDINGS);
    const answer = await converse(context, acceptor);
    expect(answer).toMatchObject({ done: true, initiator: 'alice@CORP.EXAMPLE' });
    expect(answer.mechanism).toBe(KERBEROS_OID);
    // Heimdal 7.8 verifies bindings and has no flag to tell.
    expect(answer.channelBound).toBe(row.acceptor === 'MIT');
    expect(context).toMatchObject({ serverProved: true, complete: true });
  });

  it.each(ROWS)('$flavour ($way) by $acceptor: a wrong binding is refused', async (row) => {
    using context = system(row.flavour, {
      package: row.way,
      channelBindings: randomBytes(BINDINGS.length),
    });
    using acceptor = new GssapiAcceptor(LIBRARIES[row.acceptor], BINDINGS);
    await expect(converse(context, acceptor)).rejects.toMatchObject({
      symbol: 'GSS_S_BAD_BINDINGS',
    });
    expect(context.serverProved).toBe(false);
  });

  it.each(FLAVOURS)('%s: MIT does not call a missing binding bound', async (flavour) => {
    using context = system(flavour, { package: 'negotiate', channelBindings: null });
    using acceptor = new GssapiAcceptor(LIBRARIES.MIT, BINDINGS);
    expect(await converse(context, acceptor)).toMatchObject({ done: true, channelBound: false });
  });

  it.each(FLAVOURS)('%s: the ticket is delegated when asked to, and only then', async (flavour) => {
    for (const delegate of [true, false]) {
      using context = system(flavour, { package: 'negotiate', delegate });
      using acceptor = new GssapiAcceptor(LIBRARIES.MIT, null);
      expect(await converse(context, acceptor)).toMatchObject({ done: true, delegated: delegate });
    }
  });

  it.each(FLAVOURS)('%s: no proof is asked for when mutual is off', async (flavour) => {
    using context = system(flavour, { package: 'negotiate', mutual: false });
    using acceptor = new GssapiAcceptor(LIBRARIES.MIT, null);
    expect(await converse(context, acceptor)).toMatchObject({ done: true });
    expect(context).toMatchObject({ serverProved: false, complete: true });
  });
});

describe.skipIf(!lab.available)('the list of mechanisms in SPNEGO', () => {
  /** An acceptor that wants a signature, which no library does of itself where Kerberos is the first choice. */
  async function openPicky(flavour: Flavour) {
    const context = system(flavour, { package: 'negotiate' });
    const acceptor = new GssapiAcceptor(LIBRARIES.MIT, null);
    const first = parseNegTokenInit((await context.step(null)) ?? Buffer.alloc(0));
    const { token } = acceptor.accept(first.mechToken ?? Buffer.alloc(0));
    const answer = (mechListMic: Uint8Array) =>
      formatNegTokenResp({
        ...{ negState: 'request-mic', supportedMech: MECH.KERBEROS, mechListMic },
        responseToken: token ?? Buffer.alloc(0),
      });
    return { context, acceptor, answer, list: mechTypeListDer(first.mechTypes) };
  }

  it.each(FLAVOURS)(
    '%s signs it when asked, and verifies the signature of the acceptor',
    async (flavour) => {
      const { context, acceptor, answer, list } = await openPicky(flavour);
      using _ = context;
      using __ = acceptor;
      const reply = await context.step(answer(acceptor.sign(list)));
      const { mechListMic } = parseNegTokenResp(reply ?? Buffer.alloc(0));
      expect(acceptor.verify(list, mechListMic ?? Buffer.alloc(0))).toBe(true);
      expect(context.serverProved).toBe(true);
    },
  );

  it.each(FLAVOURS)('%s says SERVER_UNPROVEN when another list was signed', async (flavour) => {
    const { context, acceptor, answer } = await openPicky(flavour);
    using _ = context;
    using __ = acceptor;
    const other = mechTypeListDer([MECH.NTLMSSP, MECH.KERBEROS]);
    await expect(context.step(answer(acceptor.sign(other)))).rejects.toMatchObject({
      code: 'SERVER_UNPROVEN',
    });
    expect(context.serverProved).toBe(false);
  });
});

describe.skipIf(!lab.available)('a security context', () => {
  it('refuses a second call when one is under way, and ends when that comes back', async () => {
    const context = system('MIT', {});
    const first = context.step(null);
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_FAILED' });
    context[Symbol.dispose]();
    await first;
    await expect(context.step(null)).rejects.toMatchObject({ code: 'SIGN_ON_FAILED' });
    context[Symbol.dispose]();
  });

  it.each(['HTTP/proxy.corp.example@CORP.EXAMPLE', 'HTTP/PROXY.corp.example'])(
    'makes a token for %s',
    async (spn) => {
      using context = system('MIT', { spn });
      using acceptor = new GssapiAcceptor(LIBRARIES.MIT, null);
      expect(await converse(context, acceptor)).toMatchObject({ done: true });
    },
  );

  it('throws CHALLENGE_TOO_LARGE when the token has more than 64 KiB', async () => {
    using context = system('MIT', {});
    await context.step(null);
    await expect(context.step(Buffer.alloc(65_537))).rejects.toMatchObject({
      code: 'CHALLENGE_TOO_LARGE',
    });
  });
});

describe.skipIf(!lab.available)('NTLM, accepted by gss-ntlmssp', () => {
  it.each(Object.entries(NTLM_INITIATORS))('%s: identity and binding', async (_name, open) => {
    using initiator = open(BINDINGS);
    using acceptor = new GssapiAcceptor(LIBRARIES.MIT, BINDINGS);
    expect(await converse(initiator, acceptor)).toMatchObject({
      done: true,
      initiator: 'CORP\\alice',
      channelBound: true,
    });
  });

  it.each(Object.entries(NTLM_INITIATORS))(
    '%s: a wrong binding is refused',
    async (_name, open) => {
      using initiator = open(randomBytes(BINDINGS.length));
      using acceptor = new GssapiAcceptor(LIBRARIES.MIT, BINDINGS);
      await expect(converse(initiator, acceptor)).rejects.toMatchObject({
        symbol: expect.stringMatching(/^GSS_S_/u),
      });
    },
  );

  it.each(Object.entries(NTLM_INITIATORS))('%s: none is not called bound', async (_name, open) => {
    using initiator = open(null);
    using acceptor = new GssapiAcceptor(LIBRARIES.MIT, BINDINGS);
    expect(await converse(initiator, acceptor)).toMatchObject({ done: true, channelBound: false });
  });

  it('a wrong password is refused', async () => {
    using initiator = new NtlmSession('NTLM', { ...ours(null), identity: alice('Wrong-Secret1') });
    using acceptor = new GssapiAcceptor(LIBRARIES.MIT, null);
    await expect(converse(initiator, acceptor)).rejects.toMatchObject({
      symbol: expect.stringMatching(/^GSS_S_/u),
    });
  });
});

/** Carries tokens to and fro until the acceptor is done and the initiator has seen its last word. */
async function converse(initiator: Initiator, acceptor: GssapiAcceptor): Promise<AcceptorAnswer> {
  let token = await initiator.step(null);
  for (let leg = 0; leg < 4 && token !== null; leg += 1) {
    const answer = acceptor.accept(token);
    token = answer.token === null ? null : await initiator.step(answer.token);
    if (answer.done) {
      return answer;
    }
  }
  throw new Error('the acceptor is not done');
}

function system(flavour: Flavour, request: Partial<ContextRequest>) {
  return loadGssapi({ library: LIBRARIES[flavour] }).createContext({
    package: 'negotiate',
    spn: SPN,
    credentials: null,
    channelBindings: null,
    allowNtlm: true,
    mutual: true,
    delegate: false,
    ...request,
  });
}

function ours(channelBindings: Uint8Array | null) {
  return { identity: alice(LAB.users.alice.password), spn: SPN, channelBindings };
}

function alice(password: string) {
  return parseIdentity(LAB.users.alice.typed, new Secret(password));
}
