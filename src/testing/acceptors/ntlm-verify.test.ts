import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Accounts } from '../accounts.ts';
import type { NtlmExchange, NtlmExpectations } from './ntlm-verify.ts';
import { verifyAuthenticate } from './ntlm-verify.ts';

interface GeneratedCase {
  readonly id: string;
  readonly input: {
    readonly user: string;
    readonly dom: string;
    readonly pw: string;
    readonly spn: string;
    readonly cbt?: string;
  };
  readonly negotiate: string;
  readonly challenge: string;
  readonly expect: { readonly authenticate: string };
}

interface Transcript {
  readonly name: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly accepted: boolean;
  readonly ntlm: { readonly type1: string; readonly type2: string; readonly type3: string } | null;
}

const generated: GeneratedCase[] = readFixture('vectors.json').ntlm_generated;
const captured: Transcript[] = readFixture('transcripts.json');

describe('verifyAuthenticate() on generated exchanges', () => {
  it.each(['G1', 'G2', 'G3', 'G4', 'G4b', 'G8'])('accepts %s in every check', async (id) => {
    const { exchange, expected } = await prepare(id);

    expect(verifyAuthenticate(exchange, expected)).toMatchObject({ accepted: true, hasMic: true });
  });

  it('accepts G7, a challenge without timestamp, without a MIC', async () => {
    const { exchange, expected } = await prepare('G7');

    expect(verifyAuthenticate(exchange, expected)).toMatchObject({ accepted: true, hasMic: false });
  });

  it('refuses key exchange (G5), which HTTP has no use for', async () => {
    const { exchange, expected } = await prepare('G5');

    expect(verifyAuthenticate(exchange, expected)).toMatchObject({ reason: 'key-exchange' });
  });

  it('refuses one flipped bit in any byte of the AUTHENTICATE message', async () => {
    const { exchange, expected } = await prepare('G2');
    const accepted: number[] = [];
    for (let at = 0; at < exchange.authenticate.length; at += 1) {
      const authenticate = Buffer.from(exchange.authenticate);
      authenticate[at] = (authenticate[at] ?? 0) ^ 0x01;
      if (verifyAuthenticate({ ...exchange, authenticate }, expected).accepted) {
        accepted.push(at);
      }
    }

    expect(accepted).toEqual([]);
  });

  it('refuses a MIC over another NEGOTIATE or CHALLENGE than was on the wire', async () => {
    const { exchange, expected } = await prepare('G1');
    const negotiate = Buffer.from(exchange.negotiate).fill(1, 32, 33);
    const challenge = Buffer.from(exchange.challenge).fill(1, 48, 49);

    expect(verifyAuthenticate({ ...exchange, negotiate }, expected)).toMatchObject({
      reason: 'mic',
    });
    expect(verifyAuthenticate({ ...exchange, challenge }, expected)).toMatchObject({
      reason: 'mic',
    });
  });

  it.each<[string, string, Partial<NtlmExpectations>]>([
    ['spn', 'another target name', { spns: ['HTTP/elsewhere'] }],
    [
      'channel-binding',
      'the binding of another certificate',
      { channelBinding: Buffer.alloc(16, 7) },
    ],
    ['channel-binding', 'a binding where there is no TLS', { channelBinding: null }],
  ])('says %s for %s', async (reason, _, differs) => {
    const { exchange, expected } = await prepare('G2');

    expect(verifyAuthenticate(exchange, { ...expected, ...differs })).toMatchObject({ reason });
  });

  it('takes zeros for the channel binding unless it is required', async () => {
    const { exchange, expected } = await prepare('G1');
    const tls = { ...expected, channelBinding: Buffer.alloc(16, 7) };

    expect(verifyAuthenticate(exchange, tls).accepted).toBe(true);
    expect(verifyAuthenticate(exchange, { ...tls, requireChannelBinding: true })).toMatchObject({
      reason: 'channel-binding-missing',
    });
  });

  it('tells an unknown user from a wrong password and names both', async () => {
    const { exchange, expected } = await prepare('G1');
    const accounts = (name: string) => Accounts.of([{ name, domain: 'DOMAIN', password: 'x' }]);
    const verdict = async (name: string) =>
      verifyAuthenticate(exchange, { ...expected, accounts: await accounts(name) });

    expect(await verdict('somebody')).toMatchObject({
      reason: 'unknown-user',
      user: 'Domain\\User',
    });
    expect(await verdict('USER')).toMatchObject({ reason: 'wrong-password', user: 'DOMAIN\\USER' });
  });

  it('refuses every cut of the message, and never throws', async () => {
    const { exchange, expected } = await prepare('G1');
    for (let length = 0; length < exchange.authenticate.length; length += 1) {
      const authenticate = exchange.authenticate.subarray(0, length);
      expect(verifyAuthenticate({ ...exchange, authenticate }, expected).accepted).toBe(false);
    }
  });
});

describe('verifyAuthenticate() on captured exchanges', () => {
  const leniently = captured.filter(({ ntlm, name }) => ntlm?.type3 && !name.includes('USER_FILE'));
  let accounts: Accounts;

  beforeAll(async () => {
    accounts = await Accounts.of(
      captured
        .filter(({ password }) => password !== 'wrong')
        .map(({ user, domain, password }) => ({
          name: user,
          upn: user,
          password,
          ...(domain === '' ? {} : { domain }),
        })),
    );
  });

  it.each(leniently.map((transcript) => [transcript.name, transcript] as const))(
    'agrees with the acceptor of "%s" when lenient',
    (_, { ntlm, accepted }) => {
      const expected = { ...lenient(accounts), channelBinding: null };
      const exchange = exchangeOf(ntlm?.type1, ntlm?.type2, ntlm?.type3);

      expect(verifyAuthenticate(exchange, expected).accepted).toBe(accepted);
    },
  );

  it('refuses NTLMv1 and NTLM2 session responses by name', () => {
    const reasons = captured
      .filter(({ name }) => name === 'cntlm Auth NTLM' || name === 'cntlm Auth NTLM2SR')
      .map(({ ntlm }) =>
        verifyAuthenticate(exchangeOf(ntlm?.type1, ntlm?.type2, ntlm?.type3), lenient(accounts)),
      );

    expect(reasons).toMatchObject([{ reason: 'ntlm-v1' }, { reason: 'ntlm-v1' }]);
  });
});

async function prepare(
  id: string,
): Promise<{ exchange: NtlmExchange; expected: NtlmExpectations }> {
  const found = generated.find((one) => one.id === id);
  if (found === undefined) {
    throw new Error(`no case ${id}`);
  }
  const { input } = found;
  const accounts = await Accounts.of([
    input.dom === ''
      ? { name: 'elsewise', upn: input.user, password: input.pw }
      : { name: input.user, domain: input.dom, password: input.pw },
  ]);
  return {
    exchange: exchangeOf(found.negotiate, found.challenge, found.expect.authenticate),
    expected: {
      accounts,
      strict: true,
      spns: [input.spn],
      channelBinding: input.cbt === undefined ? null : Buffer.from(input.cbt, 'hex'),
      requireChannelBinding: input.cbt !== undefined,
    },
  };
}

function lenient(accounts: Accounts): NtlmExpectations {
  return { accounts, strict: false, spns: [], channelBinding: null, requireChannelBinding: false };
}

function exchangeOf(negotiate = '', challenge = '', authenticate = ''): NtlmExchange {
  return {
    negotiate: Buffer.from(negotiate, 'hex'),
    challenge: Buffer.from(challenge, 'hex'),
    authenticate: Buffer.from(authenticate, 'hex'),
  };
}

function readFixture(name: string) {
  const url = new URL(`../../../test/fixtures/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}
