// The few SPNEGO tokens around Kerberos, written here and read back by the parser of `spnego/`.
import { describe, expect, it } from 'vitest';
import { parseSpnegoToken } from '../spnego/neg-token.ts';
import { MECH } from '../spnego/token-fields.ts';
import { formatNegTokenResp } from '../spnego/write-token.ts';
import { firstToken, laterToken, MECH_LIST, readAnswer } from './kerberos-negotiation.ts';

const TOKEN = Buffer.from('kerberos');
const MIC = Buffer.from('signature');

describe('firstToken()', () => {
  it('offers Kerberos and nothing else, its token along', () => {
    expect(parseSpnegoToken(firstToken(TOKEN))).toMatchObject({
      kind: 'init',
      mechTypes: [MECH.KERBEROS],
      mechToken: new Uint8Array(TOKEN),
    });
    expect(Buffer.from(MECH_LIST).toString('hex')).toBe('300b06092a864886f712010202');
  });
});

describe('laterToken()', () => {
  it('carries what there is', () => {
    expect(parseSpnegoToken(laterToken(TOKEN, null))).toEqual({
      kind: 'resp',
      responseToken: new Uint8Array(TOKEN),
    });
    expect(parseSpnegoToken(laterToken(null, MIC))).toEqual({
      kind: 'resp',
      mechListMic: new Uint8Array(MIC),
    });
  });
});

describe('readAnswer()', () => {
  it.each([MECH.KERBEROS, MECH.MS_KERBEROS])('takes the proof under %s', async (supportedMech) => {
    const bytes = formatNegTokenResp({
      ...{ negState: 'accept-completed', supportedMech, responseToken: TOKEN, mechListMic: MIC },
    });
    expect(await readAnswer(bytes)).toEqual({
      token: new Uint8Array(TOKEN),
      mechListMic: new Uint8Array(MIC),
      wantsMic: false,
    });
  });

  it('hears the wish for a signature', async () => {
    const bytes = formatNegTokenResp({ negState: 'request-mic', supportedMech: MECH.KERBEROS });
    expect(await readAnswer(bytes)).toEqual({ token: null, mechListMic: null, wantsMic: true });
  });

  it.each([
    { negState: 'reject' },
    { negState: 'request-mic', supportedMech: MECH.NTLMSSP },
  ] as const)('takes %o for a refusal', async (answer) => {
    expect(await readAnswer(formatNegTokenResp(answer))).toBeNull();
  });

  it('throws CHALLENGE_INVALID when it is no SPNEGO answer', async () => {
    for (const bytes of [Buffer.from('NTLMSSP\0....'), firstToken(TOKEN)]) {
      await expect(readAnswer(bytes)).rejects.toThrow(
        expect.objectContaining({ code: 'CHALLENGE_INVALID' }),
      );
    }
  });
});
