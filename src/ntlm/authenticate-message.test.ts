import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { AuthenticateInput } from './authenticate-message.ts';
import {
  createAuthenticateMessage,
  formatAuthenticateMessage,
  parseAuthenticateMessage,
} from './authenticate-message.ts';
import { AV_ID, findAvValue } from './av-pairs.ts';
import { formatChallengeMessage } from './challenge-message.ts';
import { NTLM_FLAGS } from './flags.ts';
import { formatNegotiateMessage } from './negotiate-message.ts';
import { formatClientChallenge, parseNtlmv2Response } from './ntlmv2-response.ts';

const timestamp = { id: AV_ID.TIMESTAMP, value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
const serverFlags = (value: number) => ({ id: AV_ID.FLAGS, value: Uint8Array.of(value, 0, 0, 0) });

function input(over: Partial<AuthenticateInput> = {}): AuthenticateInput {
  return {
    negotiate: formatNegotiateMessage({ sign: false }),
    challenge: challengeWith([timestamp]),
    user: 'alice',
    domain: 'CORP',
    workstation: '',
    password: 'Secret-1',
    spn: 'HTTP/proxy.example',
    channelBinding: null,
    deps: { now: () => 1n, randomBytes },
    ...over,
  };
}

function challengeWith(targetInfo: { id: number; value: Uint8Array }[], flags = 0xe289_8237) {
  return formatChallengeMessage({
    flags,
    serverChallenge: new Uint8Array(8),
    targetName: null,
    targetInfo,
  });
}

async function sentPairs(over: Partial<AuthenticateInput>) {
  const { message } = await createAuthenticateMessage(input(over));
  const { ntResponse, mic } = parseAuthenticateMessage(message);
  return { mic, pairs: parseNtlmv2Response(ntResponse)?.avPairs ?? [] };
}

describe('createAuthenticateMessage()', () => {
  it.each([
    ['an empty user name, as anonymous is never sent', { user: '' }],
    ['105 characters of user name', { user: 'u'.repeat(105) }],
    ['256 characters of domain', { domain: 'd'.repeat(256) }],
    ['256 characters of workstation', { workstation: 'w'.repeat(256) }],
    ['257 characters of password', { password: 'p'.repeat(257) }],
  ])('refuses %s', async (_claim, over) => {
    await expect(createAuthenticateMessage(input(over))).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
    });
  });

  it('takes the longest names and password there are', async () => {
    const longest = {
      user: 'u'.repeat(104),
      domain: 'd'.repeat(255),
      workstation: 'w'.repeat(255),
      password: 'p'.repeat(256),
    };
    const { message } = await createAuthenticateMessage(input(longest));
    const { user, domain, workstation } = parseAuthenticateMessage(message);
    expect([user.length, domain.length, workstation.length]).toEqual([104, 255, 255]);
  });

  it('shows neither password nor user in its errors', async () => {
    const over = { user: 'Zaphod'.repeat(20), password: 'Beeblebrox' };
    const error: unknown = await createAuthenticateMessage(input(over)).catch((e: unknown) => e);
    expect(isSallyportError(error) && error.message).not.toMatch(/Zaphod|Beeblebrox/);
  });

  it('never agrees to exchange a key or to seal, whatever both sides ask', async () => {
    const negotiate = formatNegotiateMessage({ sign: true });
    Buffer.from(negotiate.buffer, negotiate.byteOffset).writeUInt32LE(0xffff_ffff, 12);
    const challenge = challengeWith([timestamp], 0xffff_ffff);
    const { flags, message } = await createAuthenticateMessage(input({ negotiate, challenge }));
    expect(flags.toString(16)).toBe('a2888215');
    expect(parseAuthenticateMessage(message).sessionKey).toHaveLength(0);
  });

  it('signs only where it offered to', async () => {
    const agreed = async (sign: boolean) =>
      (await createAuthenticateMessage(input({ negotiate: formatNegotiateMessage({ sign }) })))
        .flags & NTLM_FLAGS.SIGN;
    expect(await agreed(false)).toBe(0);
    expect(await agreed(true)).toBe(NTLM_FLAGS.SIGN);
  });

  it('takes the clock of this machine when the server tells none', async () => {
    const own = { deps: { now: () => 0x0102_0304_0506_0708n, randomBytes } };
    const challenge = challengeWith([]);
    const { message } = await createAuthenticateMessage(input({ ...own, challenge }));
    const response = parseNtlmv2Response(parseAuthenticateMessage(message).ntResponse);
    expect(response?.time).toEqual(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1));
  });

  it('adds the MIC bit to the flags of the server, and keeps them one pair', async () => {
    const { pairs, mic } = await sentPairs({
      challenge: challengeWith([serverFlags(1), timestamp]),
    });
    expect(pairs.filter(({ id }) => id === AV_ID.FLAGS)).toEqual([serverFlags(3)]);
    expect(mic).not.toBeNull();
  });

  it('does not repeat a MIC bit when it sends none', async () => {
    const { pairs, mic } = await sentPairs({ challenge: challengeWith([serverFlags(3)]) });
    expect(findAvValue(pairs, AV_ID.FLAGS)).toEqual(serverFlags(1).value);
    expect(mic).toBeNull();
  });

  it('sends the channel binding it was given, and zeros without TLS', async () => {
    const channelBinding = new Uint8Array(16).fill(7);
    const bound = await sentPairs({ channelBinding });
    expect(findAvValue(bound.pairs, AV_ID.CHANNEL_BINDINGS)).toEqual(channelBinding);
    const plain = await sentPairs({});
    expect(findAvValue(plain.pairs, AV_ID.CHANNEL_BINDINGS)).toEqual(new Uint8Array(16));
  });

  it('refuses target information that would overflow its answer', async () => {
    const filler = { id: AV_ID.NB_COMPUTER_NAME, value: new Uint8Array(65_440) };
    await expect(
      createAuthenticateMessage(input({ challenge: challengeWith([filler]) })),
    ).rejects.toMatchObject({ code: 'CHALLENGE_TOO_LARGE' });
  });
});

describe('parseAuthenticateMessage()', () => {
  it('reads back any message formatAuthenticateMessage() writes', { timeout: 20_000 }, () => {
    const name = fc.string({ unit: 'binary', maxLength: 4 });
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 4 });
    const names = fc.oneof(
      fc.tuple(fc.constant(NTLM_FLAGS.OEM), fc.constant('CORP'), ascii, ascii),
      fc.tuple(fc.constant(NTLM_FLAGS.UNICODE), ascii, name, fc.constant('')),
    );
    const keys = fc.constantFrom(new Uint8Array(), new Uint8Array(16).fill(1));
    const random = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(names, fc.nat(), fc.boolean(), keys, random, (text, bits, hasMic, ...bytes) => {
        const [characterSet, domain, user, workstation] = text;
        const [sessionKey, octets] = bytes;
        const take = (length: number) =>
          Uint8Array.from({ length }, (_, at) => (octets[at % 4] ?? 0) ^ length);
        const mic = hasMic ? take(16) : null;
        const temp = formatClientChallenge({
          time: take(8),
          clientChallenge: take(8),
          avPairs: hasMic ? [serverFlags(2)] : [],
        });
        const message = {
          flags: ((bits & ~3) | characterSet) >>> 0,
          domain,
          user,
          workstation,
          lmResponse: new Uint8Array(24),
          ntResponse: Uint8Array.from([...take(16), ...temp]),
          sessionKey,
          mic,
        };
        return isDeepStrictEqual(
          parseAuthenticateMessage(formatAuthenticateMessage(message)),
          message,
        );
      }),
      { numRuns: 10_000 },
    );
  });

  it('refuses half a character', () => {
    const message = formatAuthenticateMessage({
      flags: NTLM_FLAGS.OEM,
      domain: 'odd',
      user: '',
      workstation: '',
      lmResponse: new Uint8Array(),
      ntResponse: new Uint8Array(),
    });
    Buffer.from(message.buffer, message.byteOffset).writeUInt32LE(NTLM_FLAGS.UNICODE, 60);
    expect(() => parseAuthenticateMessage(message)).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_INVALID' }),
    );
  });

  it('takes random bytes in the place of a MIC for none when none is announced', () => {
    const message = formatAuthenticateMessage({
      flags: NTLM_FLAGS.UNICODE,
      domain: '',
      user: 'alice',
      workstation: '',
      lmResponse: new Uint8Array(24),
      ntResponse: new Uint8Array(24),
      mic: randomBytes(16),
    });
    expect(parseAuthenticateMessage(message).mic).toBeNull();
  });
});
