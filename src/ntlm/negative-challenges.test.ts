// The negative challenges N1 to N20: what a client makes of servers that are old, sloppy or hostile.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { createAuthenticateMessage, parseAuthenticateMessage } from './authenticate-message.ts';
import { AV_ID, findAvValue } from './av-pairs.ts';
import { formatNegotiateMessage } from './negotiate-message.ts';
import { beginNtlmMessage } from './ntlm-message.ts';
import { parseNtlmv2Response } from './ntlmv2-response.ts';
import { joinPayload } from './payload-field.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../test/fixtures/vectors.json', import.meta.url), 'utf8'),
) as {
  ntlm_spec: { lmv2: string };
  ntlm_negative: { id: string; desc: string; challenge?: string; expect: string }[];
};
/** FILETIME of the machine that answers. */
const NOW = 133_500_000_000_000_000n;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string | undefined) => Uint8Array.from(Buffer.from(text ?? '', 'hex'));

describe('createAuthenticateMessage() on the negative challenges', () => {
  type Outcome = 'CHALLENGE_INVALID' | 'CHALLENGE_TOO_LARGE' | 'CREDENTIALS_INVALID' | 'answer';
  /** Where the vector leaves a choice, ours: garbage nobody reads is no reason to stay out. */
  const OUTCOMES: Record<string, Outcome> = {
    N1: 'CHALLENGE_INVALID',
    N2: 'CHALLENGE_INVALID',
    N3: 'CHALLENGE_INVALID',
    N4: 'CHALLENGE_INVALID',
    N5: 'CHALLENGE_INVALID',
    N6: 'CHALLENGE_INVALID',
    N7: 'CHALLENGE_INVALID',
    N8: 'CHALLENGE_INVALID',
    N9: 'answer',
    N10: 'answer',
    N11: 'answer',
    N12: 'CHALLENGE_INVALID',
    N13: 'answer',
    N14: 'answer',
    N15: 'answer',
    N16: 'answer',
    N17: 'CHALLENGE_INVALID',
    N18: 'answer',
    N19: 'answer',
    N20: 'CHALLENGE_TOO_LARGE',
  };
  const challenges = new Map(
    vectors.ntlm_negative.map(({ id, challenge }) => [id, challenge ?? largeTargetInfo(id)]),
  );
  const attempt = (id: string, user = 'User') =>
    createAuthenticateMessage({
      negotiate: formatNegotiateMessage({ sign: false }),
      challenge: unhex(challenges.get(id)),
      user,
      domain: 'Domain',
      workstation: '',
      password: 'Password',
      spn: 'HTTP/proxy01.corp.example.test',
      channelBinding: null,
      deps: { now: () => NOW, randomBytes: () => new Uint8Array(8).fill(0xaa) },
    });
  const answered = async (id: string) => {
    const message = parseAuthenticateMessage((await attempt(id)).message);
    const response = parseNtlmv2Response(message.ntResponse);
    if (response === null) {
      throw new Error(`No NTLMv2 response to ${id}`);
    }
    return { ...message, ...response };
  };

  /** N19 and N20: one NbComputerName pair that fills a target information of this size, EOL included. */
  function largeTargetInfo(id: string): string {
    const size = id === 'N19' ? 0xfff : 0xffff;
    const header = beginNtlmMessage('CHALLENGE', 56);
    header.writeUInt32LE(0x0080_0201, 20);
    const pair = Buffer.alloc(size);
    pair.writeUInt16LE(AV_ID.NB_COMPUTER_NAME, 0);
    pair.writeUInt16LE(size - 8, 2);
    return hex(joinPayload(header, [[40, pair]]));
  }

  it.each(vectors.ntlm_negative)('$id, $desc: $expect', async ({ id, expect: wanted }) => {
    const outcome = OUTCOMES[id];
    if (wanted.startsWith('accept')) {
      expect(outcome).toBe('answer');
    }
    if (wanted === 'reject') {
      expect(outcome).not.toBe('answer');
    }
    const result = await attempt(id).then(
      () => 'answer',
      (error: unknown) => (isSallyportError(error) ? error.code : error),
    );
    expect(result).toBe(outcome);
  });

  it('knows an outcome for each', () => {
    expect(vectors.ntlm_negative.map(({ id }) => id)).toEqual(Object.keys(OUTCOMES));
  });

  it.each(['N9', 'N16'])('takes the end for EOL: %s', async (id) => {
    const { avPairs, mic } = await answered(id);
    expect(avPairs.map((pair) => pair.id)).toEqual([2, 1, 4, 3, 5, 7, 6, 10, 9]);
    expect(mic).not.toBeNull();
  });

  it('believes the timestamp before EOL and repeats nothing behind it: N10', async () => {
    const { avPairs, time } = await answered('N10');
    expect(hex(time)).toBe('00c083ed8a49da01');
    expect(avPairs.map((pair) => pair.id)).toEqual([2, 1, 4, 3, 5, 7, 6, 10, 9]);
  });

  it('never sends the SPN or the channel binding a server supplied: N11', async () => {
    const { avPairs } = await answered('N11');
    expect(avPairs.filter(({ id }) => id >= AV_ID.TARGET_NAME)).toHaveLength(2);
    expect(hex(findAvValue(avPairs, AV_ID.CHANNEL_BINDINGS) ?? Buffer.from('none'))).toBe(
      '00'.repeat(16),
    );
    expect(Buffer.from(findAvValue(avPairs, AV_ID.TARGET_NAME) ?? []).toString('utf16le')).toBe(
      'HTTP/proxy01.corp.example.test',
    );
  });

  it('answers an old server with NTLMv2 and an empty list: N15', async () => {
    const { avPairs, mic, lmResponse } = await answered('N15');
    expect(avPairs).toEqual([]);
    expect(mic).toBeNull();
    expect(hex(lmResponse)).toBe(vectors.ntlm_spec.lmv2);
  });

  it('writes 8-bit names for an OEM server, and refuses a name beyond ASCII: N18', async () => {
    const { message, flags } = await attempt('N18');
    expect(flags & 3).toBe(2);
    expect(Buffer.from(message.subarray(88, 98)).toString('latin1')).toBe('DomainUser');
    await expect(attempt('N18', 'Jäger')).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
  });

  it('repeats a large target information whole: N19', async () => {
    const { avPairs } = await answered('N19');
    expect(findAvValue(avPairs, AV_ID.NB_COMPUTER_NAME)).toHaveLength(0xfff - 8);
  });
});
