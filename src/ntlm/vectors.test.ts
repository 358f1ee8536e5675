// The published and generated vectors: MS-NLMP 4.2, Chromium, and our own G1 to G9 and N1 to N20.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { createAuthenticateMessage, parseAuthenticateMessage } from './authenticate-message.ts';
import { AV_ID, findAvValue } from './av-pairs.ts';
import { parseChallengeMessage } from './challenge-message.ts';
import { ntlmChannelBinding } from './channel-binding.ts';
import { md4 } from './md4.ts';
import { formatNegotiateMessage } from './negotiate-message.ts';
import { beginNtlmMessage } from './ntlm-message.ts';
import {
  lmv2Response,
  messageIntegrityCode,
  ntHash,
  ntowfv2,
  ntProof,
  sessionBaseKey,
} from './ntlmv2.ts';
import { formatClientChallenge, parseNtlmv2Response } from './ntlmv2-response.ts';
import { joinPayload } from './payload-field.ts';
import { signingKeys } from './session-security.ts';
import { utf16le } from './text.ts';

interface Generated {
  id: string;
  desc: string;
  input: {
    user: string;
    dom: string;
    pw: string;
    wks: string;
    spn: string;
    cbt?: string;
    cc: string;
  };
  negotiate: string;
  challenge: string;
  expect: Record<string, string | null>;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../test/fixtures/vectors.json', import.meta.url), 'utf8'),
) as {
  ntlm_spec: Record<string, string>;
  ntlm_chromium_inputs: Record<string, string>;
  md4: [string, string][];
  ntlm_generated: Generated[];
  ntlm_negative: { id: string; desc: string; challenge?: string; expect: string }[];
};

/** Values that need RC4: sealing, and the exchange of a key. Neither is ever offered, so neither is written. */
const EXCLUDED_SPEC = ['encryptedRandomSessionKey', 'sealKeyC2S', 'sealKeyS2C', 'authenticate'];
/** G5 exchanges a key: what follows from a key under RC4 cannot come out of a client that offers none. */
const EXCLUDED_G5 = [
  'flags',
  'encryptedRandomSessionKey',
  'exportedSessionKey',
  'mic',
  'authenticate',
  'mechListMICClient',
  'mechListMICServer',
];
/** FILETIME of every generated vector. */
const NOW = 133_500_000_000_000_000n;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string | null | undefined) => Uint8Array.from(Buffer.from(text ?? '', 'hex'));

function answer({ input, negotiate, challenge }: Generated) {
  return createAuthenticateMessage({
    negotiate: unhex(negotiate),
    challenge: unhex(challenge),
    user: input.user,
    domain: input.dom,
    workstation: input.wks,
    password: input.pw,
    spn: input.spn,
    channelBinding: input.cbt === undefined ? null : unhex(input.cbt),
    deps: { now: () => NOW, randomBytes: () => unhex(input.cc) },
  });
}

describe('md4()', () => {
  it.each(vectors.md4)('gives the vector of %j', async (text, wanted) => {
    const data = text.startsWith('utf16le:') ? utf16le(text.slice(8)) : Buffer.from(text);
    expect(hex(await md4(data))).toBe(wanted);
  });
});

describe(`MS-NLMP 4.2 without ${EXCLUDED_SPEC.join(', ')}`, () => {
  const spec = vectors.ntlm_spec;
  const value = (name: string) => unhex(spec[name]);

  it('ntHash() and ntowfv2() give its keys', async () => {
    const hash = await ntHash(spec['password'] ?? '');
    expect(hex(hash)).toBe(spec['ntowfv1']);
    expect(hex(ntowfv2(hash, spec['user'] ?? '', spec['domain'] ?? ''))).toBe(spec['ntowfv2']);
  });

  it('formatClientChallenge() writes its temp from the target information of its challenge', () => {
    const { targetInfo } = parseChallengeMessage(value('challenge'));
    const temp = formatClientChallenge({
      time: value('time'),
      clientChallenge: value('clientChallenge'),
      avPairs: targetInfo ?? [],
    });
    expect(hex(temp)).toBe(spec['temp']);
  });

  it('ntProof(), lmv2Response() and sessionBaseKey() give its responses', () => {
    const key = value('ntowfv2');
    const serverChallenge = value('serverChallenge');
    expect(hex(ntProof(key, serverChallenge, value('temp')))).toBe(spec['ntProofStr']);
    expect(hex(lmv2Response(key, serverChallenge, value('clientChallenge')))).toBe(spec['lmv2']);
    expect(hex(sessionBaseKey(key, value('ntProofStr')))).toBe(spec['sessionBaseKey']);
  });

  it('signingKeys() gives its signing keys', () => {
    const keys = signingKeys(value('randomSessionKey'));
    expect(hex(keys.clientToServer)).toBe(spec['signKeyC2S']);
    expect(hex(keys.serverToClient)).toBe(spec['signKeyS2C']);
  });

  it('parseChallengeMessage() reads its challenge, which sets UNICODE and OEM', () => {
    const challenge = parseChallengeMessage(value('challenge'));
    expect(challenge.flags).toBe(0xe28a8231);
    expect(hex(challenge.serverChallenge)).toBe(spec['serverChallenge']);
    expect(challenge.targetName).toBe(spec['server']);
    expect(challenge.timestamp).toBeNull();
    expect(challenge.targetInfo?.map(({ id }) => id)).toEqual([
      AV_ID.NB_DOMAIN_NAME,
      AV_ID.NB_COMPUTER_NAME,
    ]);
  });

  it('parseAuthenticateMessage() reads its answer, which has no MIC', () => {
    const message = parseAuthenticateMessage(value('authenticate'));
    expect(message).toMatchObject({
      flags: 0xe2888235,
      domain: spec['domain'],
      user: spec['user'],
      workstation: spec['workstation'],
      mic: null,
    });
    expect(hex(message.lmResponse)).toBe(spec['lmv2']);
    expect(hex(message.ntResponse)).toBe(`${spec['ntProofStr']}${spec['temp']}`);
    expect(hex(message.sessionKey)).toBe(spec['encryptedRandomSessionKey']);
  });
});

describe('Chromium with MIC, channel binding and SPN', () => {
  const chromium = vectors.ntlm_chromium_inputs;
  const spec = vectors.ntlm_spec;
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(131_400_439_870_000_000n);

  it('ntlmChannelBinding() gives its value', () => {
    expect(hex(ntlmChannelBinding(unhex(chromium['cbtAppData'])))).toBe(chromium['cbt']);
  });

  it('ntProof(), sessionBaseKey() and messageIntegrityCode() agree, from the bytes it sends', () => {
    const { targetInfo } = parseChallengeMessage(unhex(chromium['challenge']));
    const temp = formatClientChallenge({
      time,
      clientChallenge: unhex(spec['clientChallenge']),
      avPairs: [
        ...(targetInfo ?? []),
        { id: AV_ID.FLAGS, value: Uint8Array.of(2, 0, 0, 0) },
        { id: AV_ID.CHANNEL_BINDINGS, value: unhex(chromium['cbt']) },
        { id: AV_ID.TARGET_NAME, value: utf16le('HTTP/Server') },
      ],
    });
    const key = unhex(spec['ntowfv2']);
    const proof = ntProof(key, unhex(spec['serverChallenge']), temp);
    expect(hex(proof)).toBe(chromium['ntProofStr']);
    const sessionKey = sessionBaseKey(key, proof);
    expect(hex(sessionKey)).toBe(chromium['sessionBaseKey']);

    const header = beginNtlmMessage('AUTHENTICATE', 88);
    header.writeUInt32LE(0x0008_8203, 60);
    const authenticate = joinPayload(header, [
      [52, new Uint8Array()],
      [12, new Uint8Array(24)],
      [20, Buffer.concat([proof, temp])],
      [28, utf16le('Domain')],
      [36, utf16le('User')],
      [44, utf16le('COMPUTER')],
    ]);
    const mic = messageIntegrityCode(
      sessionKey,
      unhex(chromium['negotiate']),
      unhex(chromium['challenge']),
      authenticate,
    );
    expect(hex(mic)).toBe(chromium['mic']);
  });
});

describe('createAuthenticateMessage() on the generated vectors', () => {
  const withoutKeyExchange = vectors.ntlm_generated.filter(({ id }) => id !== 'G5');

  it('has them all', () => {
    expect(vectors.ntlm_generated.map(({ id }) => id)).toEqual([
      ...['G1', 'G2', 'G3', 'G4', 'G4b', 'G5', 'G6', 'G7', 'G8', 'G9'],
    ]);
  });

  it.each(withoutKeyExchange)('makes the message of $id: $desc', async (vector) => {
    const wanted = vector.expect;
    const { message, exportedSessionKey, flags } = await answer(vector);
    expect(hex(message)).toBe(wanted['authenticate']);
    expect(hex(exportedSessionKey)).toBe(wanted['exportedSessionKey']);
    expect(flags).toBe(Number(wanted['flags']));
  });

  it.each(withoutKeyExchange)('is read back by parseAuthenticateMessage(): $id', async (vector) => {
    const wanted = vector.expect;
    const parsed = parseAuthenticateMessage((await answer(vector)).message);
    expect(parsed).toMatchObject({
      flags: Number(wanted['flags']),
      user: vector.input.user,
      domain: vector.input.dom,
      workstation: vector.input.wks,
    });
    expect(hex(parsed.lmResponse)).toBe(wanted['lmResponse']);
    expect(hex(parsed.ntResponse)).toBe(wanted['ntResponse']);
    expect(parsed.mic && hex(parsed.mic)).toBe(wanted['mic']);
    expect(hex(parsed.sessionKey)).toBe('');
  });

  it(`answers G5 without exchanging a key (excluded: ${EXCLUDED_G5.join(', ')})`, async () => {
    const vector = vectors.ntlm_generated.find(({ id }) => id === 'G5');
    if (vector === undefined) {
      throw new Error('The vectors have lost G5');
    }
    const { message, exportedSessionKey, flags } = await answer(vector);
    const parsed = parseAuthenticateMessage(message);
    expect(hex(parsed.ntResponse)).toBe(vector.expect['ntResponse']);
    expect(hex(parsed.lmResponse)).toBe(vector.expect['lmResponse']);
    expect(hex(exportedSessionKey)).toBe(vector.expect['sessionBaseKey']);
    expect(hex(parsed.sessionKey)).toBe('');
    expect(flags.toString(16)).toBe('a2888215');
    const keys = signingKeys(unhex('55'.repeat(16)));
    expect(hex(keys.clientToServer)).toBe(vector.expect['signKeyC2S']);
    expect(hex(keys.serverToClient)).toBe(vector.expect['signKeyS2C']);
  });
});

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
    expect(hex(lmResponse)).toBe(vectors.ntlm_spec['lmv2']);
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
