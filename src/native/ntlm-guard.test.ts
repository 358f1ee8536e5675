// What gss-ntlmssp must not see; that it dies of it was seen in test/lab/gssapi-hostile.test.ts.
import { describe, expect, it } from 'vitest';
import { AV_ID } from '../ntlm/av-pairs.ts';
import { formatChallengeMessage } from '../ntlm/challenge-message.ts';
import { MECH } from '../spnego/token-fields.ts';
import { formatNegTokenResp } from '../spnego/write-token.ts';
import { checkNtlmChallenge, checkWrappedChallenge } from './ntlm-guard.ts';

const UNICODE_NTLM = 0x0000_0201;
const REQUEST_TARGET = 0x0000_0004;

function challenge(targetName: string | null, flags = UNICODE_NTLM | REQUEST_TARGET): Buffer {
  const value = Buffer.from('CORP', 'utf16le');
  return Buffer.from(
    formatChallengeMessage({
      flags,
      serverChallenge: Buffer.alloc(8, 1),
      targetName,
      targetInfo: [{ id: AV_ID.NB_DOMAIN_NAME, value }],
    }),
  );
}

describe('checkNtlmChallenge()', () => {
  it('lets a whole challenge pass', () => {
    expect(() => checkNtlmChallenge(challenge('CORP'))).not.toThrow();
  });

  it('lets a challenge pass when it announces no target name', () => {
    expect(() => checkNtlmChallenge(challenge(null, UNICODE_NTLM))).not.toThrow();
  });

  it('refuses a challenge when the name it announces is empty', () => {
    expect(() => checkNtlmChallenge(challenge(null))).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_INVALID' }),
    );
  });

  it.each([16, 44])('refuses a challenge when the offset at %i leads behind its end', (field) => {
    const message = challenge(null, UNICODE_NTLM);
    message.writeUInt16LE(0, field - 4);
    message.writeUInt32LE(message.length + 1, field);
    expect(() => checkNtlmChallenge(message)).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_INVALID' }),
    );
  });
});

describe('checkWrappedChallenge()', () => {
  it('looks at the challenge inside', async () => {
    const wrapped = (responseToken: Buffer) =>
      formatNegTokenResp({
        negState: 'accept-incomplete',
        supportedMech: MECH.NTLMSSP,
        responseToken,
      });
    expect(await checkWrappedChallenge(wrapped(challenge('CORP')))).toBe(true);
    await expect(checkWrappedChallenge(wrapped(challenge(null)))).rejects.toThrow(
      expect.objectContaining({ code: 'CHALLENGE_INVALID' }),
    );
  });

  it('tells a refusal', async () => {
    expect(await checkWrappedChallenge(formatNegTokenResp({ negState: 'reject' }))).toBe(false);
  });
});
