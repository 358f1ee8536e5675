// The published and generated vectors: MS-NLMP 4.2, Chromium, and our own G1 to G9.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAuthenticateMessage, parseAuthenticateMessage } from './authenticate-message.ts';
import { AV_ID } from './av-pairs.ts';
import { parseChallengeMessage } from './challenge-message.ts';
import { ntlmChannelBinding } from './channel-binding.ts';
import { md4 } from './md4.ts';
import { beginNtlmMessage } from './ntlm-message.ts';
import {
  lmv2Response,
  messageIntegrityCode,
  ntHash,
  ntowfv2,
  ntProof,
  sessionBaseKey,
} from './ntlmv2.ts';
import { formatClientChallenge } from './ntlmv2-response.ts';
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
