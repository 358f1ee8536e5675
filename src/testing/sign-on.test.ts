import { describe, expect, it } from 'vitest';
import { DigestAuthority } from './acceptors/digest.ts';
import { Accounts } from './accounts.ts';
import type { ProxyScheme, SignOnPolicy } from './sign-on.ts';
import { ConnectionSignOn } from './sign-on.ts';

/** Type 1 with the flags of Chromium, type 3 with nothing in it. */
const NEGOTIATE = 'TlRMTVNTUAABAAAAB4IIAAAAAAAgAAAAAAAAACAAAAA=';
const AUTHENTICATE = Buffer.concat([
  Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1'),
  Buffer.alloc(76),
]).toString('base64');
const HEAD = { method: 'GET', target: 'http://origin/' };
const GOOD_BASIC = `Basic ${Buffer.from('CORP\\alice:pässword').toString('base64')}`;

describe('ConnectionSignOn', () => {
  it('lets everybody pass, whatever they send, when nothing is offered', async () => {
    const signOn = await signOnWith([]);

    expect(signOn.decide([], HEAD)).toMatchObject({ kind: 'pass', user: null });
    expect(signOn.decide(['Basic YTpi'], HEAD)).toMatchObject({ kind: 'pass', user: null });
  });

  it('judges Basic anew with every request', async () => {
    const signOn = await signOnWith(['Basic']);
    const wrong = `Basic ${Buffer.from('alice:no').toString('base64')}`;

    expect(signOn.decide([GOOD_BASIC], HEAD)).toMatchObject({ kind: 'pass', user: 'CORP\\alice' });
    expect(signOn.decide([], HEAD)).toMatchObject({ kind: 'refuse', reason: 'no-credentials' });
    expect(signOn.decide([wrong], HEAD)).toMatchObject({
      reason: 'wrong-password',
      user: 'CORP\\alice',
    });
    expect(signOn.decide(['Basic YQ=='], HEAD)).toMatchObject({ reason: 'malformed', user: null });
  });

  it.each([
    ['malformed', ['NTLM']],
    ['malformed', ['NTLM not*base64']],
    ['malformed', [`NTLM ${NEGOTIATE}`, `NTLM ${NEGOTIATE}`]],
    ['malformed', [`NTLM ${'A'.repeat(90_000)}`]],
    ['malformed', ['NTLM AAAA']],
    ['scheme-not-offered', [GOOD_BASIC]],
    ['out-of-order', [`NTLM ${AUTHENTICATE}`]],
  ])('says %s to %j', async (reason, credentials) => {
    const signOn = await signOnWith(['NTLM']);

    expect(signOn.decide(credentials, HEAD)).toMatchObject({ kind: 'refuse', reason });
  });

  it('answers a first leg with a challenge in the spelling it was offered in', async () => {
    const signOn = await signOnWith(['NTLM']);

    expect(signOn.decide([`ntlm ${NEGOTIATE}`], HEAD)).toMatchObject({
      kind: 'challenge',
      scheme: 'NTLM',
      leg: 'first',
      header: expect.stringMatching(/^NTLM TlRMTVNTUAAC/),
    });
  });

  it.each([
    ['a request without credentials', []],
    ['a leg of another scheme', [`Negotiate ${NEGOTIATE}`]],
    ['an answer', [`NTLM ${AUTHENTICATE}`]],
  ])('forgets its challenge at %s', async (_, between) => {
    const signOn = await signOnWith(['NTLM', 'Negotiate']);
    signOn.decide([`NTLM ${NEGOTIATE}`], HEAD);
    signOn.decide(between, HEAD);

    expect(signOn.decide([`NTLM ${AUTHENTICATE}`], HEAD)).toMatchObject({ reason: 'out-of-order' });
  });

  it.each([
    [{ raw: true, wrapped: false }, 'challenge'],
    [{ raw: false, wrapped: true }, 'refuse'],
    [{ raw: false, wrapped: false }, 'refuse'],
  ])('with Negotiate %o meets raw NTLM by %s', async (negotiate, kind) => {
    const signOn = await signOnWith(['Negotiate'], { negotiate });

    expect(signOn.decide([`Negotiate ${NEGOTIATE}`], HEAD).kind).toBe(kind);
  });
});

async function signOnWith(
  schemes: readonly ProxyScheme[],
  policy: Partial<SignOnPolicy> = {},
): Promise<ConnectionSignOn> {
  return new ConnectionSignOn({ ...(await policyOf(schemes)), ...policy });
}

async function policyOf(schemes: readonly ProxyScheme[]): Promise<SignOnPolicy> {
  const accounts = await Accounts.of([{ name: 'alice', domain: 'CORP', password: 'pässword' }]);
  return {
    schemes,
    accounts,
    digest: new DigestAuthority({}, accounts),
    negotiate: { raw: true, wrapped: true },
    strict: true,
    spns: [],
    channelBinding: null,
    requireChannelBinding: false,
  };
}
