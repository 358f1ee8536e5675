// Handshakes of other programs with real acceptors, captured with their passwords known: our reading and our
// computations against theirs. What each must show stands in the table, so that no check is skipped in silence.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SpnegoToken } from '../spnego/neg-token.ts';
import { parseSpnegoToken } from '../spnego/neg-token.ts';
import { MECH } from '../spnego/token-fields.ts';
import { mechTypeListDer } from '../spnego/write-token.ts';
import { parseAuthenticateMessage } from './authenticate-message.ts';
import { parseChallengeMessage } from './challenge-message.ts';
import { md5 } from './md5.ts';
import { parseNegotiateMessage } from './negotiate-message.ts';
import {
  lmv2Response,
  messageIntegrityCode,
  ntHash,
  ntowfv2,
  ntProof,
  sessionBaseKey,
} from './ntlmv2.ts';
import { parseNtlmv2Response } from './ntlmv2-response.ts';
import { signingKeys, signMechList } from './session-security.ts';

interface Transcript {
  name: string;
  user: string;
  domain: string;
  password: string;
  accepted: boolean;
  exchanges: { scheme?: string; sent?: string; received?: string }[];
  ntlm?: { type1: string; type2: string; type3: string };
}

/**
 * `announced`: told in the AV pairs, and right. `silent`: right, but not told (Samba). `foreign`: not told, and of a key
 * or a NEGOTIATE we do not know (winbind answering for gss-ntlmssp). `none`: nothing there.
 */
interface Shows {
  readonly response: 'v2' | 'older';
  readonly mic: 'announced' | 'silent' | 'foreign' | 'none';
  readonly workstation: string;
  readonly spnego?: true;
  /** The last leg carries a mechListMIC. */
  readonly signed?: true;
}

const EXPECTED: Record<string, Shows> = {
  'curl ntlm alice': { response: 'v2', mic: 'none', workstation: 'WORKSTATION' },
  'curl ntlm bob': { response: 'v2', mic: 'none', workstation: 'WORKSTATION' },
  'curl ntlm no domain': { response: 'v2', mic: 'none', workstation: 'WORKSTATION' },
  'curl ntlm UPN': { response: 'v2', mic: 'none', workstation: 'WORKSTATION' },
  'curl ntlm wrong password': { response: 'v2', mic: 'none', workstation: 'WORKSTATION' },
  'gss-ntlmssp winbind SSO in SPNEGO': {
    response: 'v2',
    mic: 'foreign',
    workstation: 'DC1',
    spnego: true,
  },
  'gss-ntlmssp NTLM_USER_FILE in SPNEGO': {
    response: 'v2',
    mic: 'announced',
    workstation: 'DC1',
    spnego: true,
    signed: true,
  },
  'ntlm_auth password NTLM squid ntlm_auth+winbind': {
    response: 'v2',
    mic: 'silent',
    workstation: '',
  },
  'ntlm_auth cached SSO NTLM squid ntlm_auth+winbind': {
    response: 'v2',
    mic: 'silent',
    workstation: 'DC1',
  },
  'ntlm_auth password Negotiate squid ntlm_auth gss-spnego': {
    response: 'v2',
    mic: 'silent',
    workstation: '',
  },
  'ntlm_auth cached SSO Negotiate squid ntlm_auth gss-spnego': {
    response: 'v2',
    mic: 'silent',
    workstation: 'DC1',
  },
  'ntlm_auth password NTLM apache gss-ntlmssp': {
    response: 'v2',
    mic: 'silent',
    workstation: '',
  },
  'ntlm_auth cached SSO NTLM apache gss-ntlmssp': {
    response: 'v2',
    mic: 'silent',
    workstation: 'DC1',
  },
  'ntlm_auth UTF-8 user+password': { response: 'v2', mic: 'silent', workstation: '' },
  'cntlm Auth NTLMv2': { response: 'v2', mic: 'none', workstation: 'LABWS' },
  'cntlm Auth NTLM2SR': { response: 'older', mic: 'none', workstation: 'LABWS' },
  'cntlm Auth NTLM': { response: 'older', mic: 'none', workstation: 'LABWS' },
};
/** For the same reason as `rc4` below: the peers seal the checksum. */
const SEALING_MAGIC = 'session key to client-to-server sealing key magic constant\0';
/** No NTLM in these. */
const EXCLUDED = ['curl kerberos', 'digest'];

const all = JSON.parse(
  readFileSync(new URL('../../test/fixtures/transcripts.json', import.meta.url), 'utf8'),
) as Transcript[];
const transcripts = all.filter(({ name }) => !EXCLUDED.includes(name));
const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The three messages; in SPNEGO out of their tokens, as the capture's own `type3` has the signature behind it. */
function messagesOf({ name, ntlm, exchanges }: Transcript) {
  const expected = EXPECTED[name];
  if (ntlm === undefined || expected === undefined) {
    throw new Error(`${name} is not expected`);
  }
  const [type1, type2, type3] = expected.spnego
    ? tokensOf({ exchanges }).map((token) =>
        token.kind === 'init' ? token.mechToken : token.responseToken,
      )
    : [unhex(ntlm.type1), unhex(ntlm.type2), unhex(ntlm.type3)];
  if (type1 === undefined || type2 === undefined || type3 === undefined) {
    throw new Error(`${name} lacks a message`);
  }
  return { expected, type1, type2, type3 };
}

function tokensOf({ exchanges }: Pick<Transcript, 'exchanges'>): SpnegoToken[] {
  return exchanges
    .flatMap(({ sent, received }) => [sent, received])
    .filter((token) => token !== undefined)
    .map((token) => parseSpnegoToken(Buffer.from(token, 'base64')));
}

/** Reads all three messages, and computes what the password of the transcript gives. */
async function recompute(transcript: Transcript) {
  const { password } = transcript;
  const { expected, type1, type2, type3 } = messagesOf(transcript);
  const challenge = parseChallengeMessage(type2);
  const authenticate = parseAuthenticateMessage(type3);
  const { user, domain } = authenticate;
  const responseKey = ntowfv2(await ntHash(password), user, domain);
  const response = parseNtlmv2Response(authenticate.ntResponse);
  const proof = response && ntProof(responseKey, challenge.serverChallenge, response.temp);
  const baseKey = sessionBaseKey(responseKey, proof ?? new Uint8Array());
  const sessionKey =
    authenticate.sessionKey.length === 0 ? baseKey : rc4(baseKey)(authenticate.sessionKey);
  const withoutMic = type3.slice().fill(0, 72, 88);
  return {
    expected,
    negotiate: parseNegotiateMessage(type1),
    challenge,
    authenticate,
    response,
    proof,
    lmv2:
      response && lmv2Response(responseKey, challenge.serverChallenge, response.clientChallenge),
    sessionKey,
    mic: messageIntegrityCode(sessionKey, type1, type2, withoutMic),
    micOnWire: type3.subarray(72, 88),
  };
}

/**
 * The peers exchange keys under RC4, which Sallyport never offers and OpenSSL 3 no longer has: here only, to get at the
 * keys their MICs are made with.
 */
function rc4(key: Uint8Array): (data: Uint8Array) => Uint8Array {
  const state = Array.from({ length: 256 }, (_, index) => index);
  const swap = (a: number, b: number) => {
    [state[a], state[b]] = [state[b] ?? 0, state[a] ?? 0];
  };
  let j = 0;
  for (let i = 0; i < 256; i += 1) {
    j = (j + (state[i] ?? 0) + (key[i % key.length] ?? 0)) & 255;
    swap(i, j);
  }
  let i = 0;
  j = 0;
  return (data) =>
    data.map((byte) => {
      i = (i + 1) & 255;
      j = (j + (state[i] ?? 0)) & 255;
      swap(i, j);
      return byte ^ (state[((state[i] ?? 0) + (state[j] ?? 0)) & 255] ?? 0);
    });
}

describe('real NTLM handshakes', () => {
  it(`are all in the table, but for ${EXCLUDED.join(' and ')}`, () => {
    expect(transcripts.map(({ name }) => name)).toEqual(Object.keys(EXPECTED));
  });

  it.each(transcripts)('are read: $name', async (transcript) => {
    const { expected, negotiate, challenge, authenticate } = await recompute(transcript);
    expect(authenticate).toMatchObject({
      user: transcript.user,
      domain: transcript.domain,
      workstation: expected.workstation,
    });
    expect(challenge.targetName).toBe('CORP');
    expect(challenge.timestamp).toHaveLength(8);
    const isCntlm = transcript.name.startsWith('cntlm');
    expect(negotiate.domain).toBe(isCntlm ? 'CORP' : '');
    expect(negotiate.workstation).toBe(isCntlm ? 'LABWS' : '');
  });

  it.each(transcripts)('prove the password: $name', async (transcript) => {
    const { expected, challenge, response, proof, lmv2, authenticate } =
      await recompute(transcript);
    if (expected.response === 'older') {
      expect(response).toBeNull();
      expect(transcript.accepted).toBe(false);
      return;
    }
    expect(hex(proof ?? Buffer.from('none'))).toBe(hex(response?.proof ?? Buffer.from('no v2')));
    // curl and cntlm send LMv2 in spite of the server's timestamp; the others zeros, or nothing.
    const lm = hex(authenticate.lmResponse);
    expect([hex(lmv2 ?? Buffer.from('none')), '00'.repeat(24), '']).toContain(lm);
    // curl and cntlm take their own clock, to the second; the others the server's.
    const ownClock = /^(curl|cntlm)/.test(transcript.name);
    expect(
      hex(response?.time ?? new Uint8Array()) === hex(challenge.timestamp ?? Buffer.from('no')),
    ).toBe(!ownClock);
  });

  it.each(transcripts)('carry the MIC we compute: $name', async (transcript) => {
    const { expected, authenticate, mic, micOnWire } = await recompute(transcript);
    expect(authenticate.mic !== null).toBe(expected.mic === 'announced');
    expect(hex(micOnWire) === hex(mic)).toBe(['announced', 'silent'].includes(expected.mic));
  });
});

describe('real NTLM handshakes in SPNEGO', () => {
  const wrapped = transcripts.filter(({ name }) => EXPECTED[name]?.spnego);
  const signed = wrapped.filter(({ name }) => EXPECTED[name]?.signed);

  it('were two, one of them signed', () => {
    expect([wrapped.length, signed.length]).toEqual([2, 1]);
  });

  it.each(wrapped)('parseSpnegoToken() unwraps the messages of $name', (transcript) => {
    const [init, challenge, authenticate] = tokensOf(transcript);
    expect(init).toMatchObject({ kind: 'init', mechTypes: [MECH.NTLMSSP] });
    expect(challenge).toMatchObject({
      kind: 'resp',
      negState: 'accept-incomplete',
      supportedMech: MECH.NTLMSSP,
    });
    expect(authenticate).toMatchObject({ kind: 'resp', negState: 'accept-incomplete' });
    const { type1, type2, type3 } = messagesOf(transcript);
    expect([type1, type2].map(hex)).toEqual([transcript.ntlm?.type1, transcript.ntlm?.type2]);
    expect(transcript.ntlm?.type3.startsWith(hex(type3))).toBe(true);
  });

  it.each(signed)('signMechList() gives the checksum that $name sealed', async (transcript) => {
    const { sessionKey } = await recompute(transcript);
    const key = signingKeys(sessionKey).clientToServer;
    const own = signMechList(key, 0, mechTypeListDer([MECH.NTLMSSP]));
    const unseal = rc4(md5(sessionKey, Buffer.from(SEALING_MAGIC, 'latin1')));
    const mic = tokensOf(transcript).at(-1)?.mechListMic ?? new Uint8Array();
    expect(hex(mic.subarray(0, 4))).toBe(hex(own.subarray(0, 4)));
    expect(hex(unseal(mic.subarray(4, 12)))).toBe(hex(own.subarray(4, 12)));
    expect(hex(mic.subarray(12))).toBe(hex(own.subarray(12)));
  });
});
