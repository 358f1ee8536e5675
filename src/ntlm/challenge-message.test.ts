import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AV_ID } from './av-pairs.ts';
import { formatChallengeMessage, parseChallengeMessage } from './challenge-message.ts';
import { NTLM_FLAGS } from './flags.ts';

const invalid = expect.objectContaining({ code: 'CHALLENGE_INVALID' });
const plain = {
  flags: NTLM_FLAGS.UNICODE,
  serverChallenge: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  targetName: 'CORP',
  targetInfo: [],
};

describe('parseChallengeMessage()', () => {
  it('reads back any message formatChallengeMessage() writes', { timeout: 20_000 }, () => {
    const timestamp = fc.uint8Array({ minLength: 8, maxLength: 8 });
    const challenge = fc.record({
      bits: fc.nat(0xffff_ffff),
      unicode: fc.boolean(),
      serverChallenge: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      name: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }),
      suffix: fc.string({ unit: 'binary', maxLength: 4 }),
      names: fc.option(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 })),
      timestamp: fc.option(timestamp),
    });
    fc.assert(
      fc.property(challenge, ({ bits, unicode, serverChallenge, name, suffix, ...info }) => {
        const stamp =
          info.timestamp === null ? [] : [{ id: AV_ID.TIMESTAMP, value: info.timestamp }];
        const pairs = info.names?.map((value, index) => ({ id: index + 1, value }));
        const targetInfo = pairs === undefined ? null : [...pairs, ...stamp];
        const message = {
          flags: withCharacterSet(bits, unicode, targetInfo !== null),
          serverChallenge,
          targetName: unicode ? name + suffix : name,
          targetInfo,
        };
        const raw = new Uint8Array(formatChallengeMessage(message));
        const wanted = { ...message, timestamp: targetInfo && info.timestamp, raw };
        return isDeepStrictEqual(parseChallengeMessage(raw), wanted);
      }),
      { numRuns: 10_000 },
    );
  });

  it('keeps a copy of what it read, as the caller may reuse its buffer', () => {
    const bytes = formatChallengeMessage(plain);
    const { raw, serverChallenge } = parseChallengeMessage(bytes);
    bytes.fill(0);
    expect(raw.subarray(0, 4)).toEqual(Uint8Array.of(0x4e, 0x54, 0x4c, 0x4d));
    expect(serverChallenge).toEqual(plain.serverChallenge);
  });

  it('tells no target information from an empty one', () => {
    const parse = (targetInfo: null | []) =>
      parseChallengeMessage(formatChallengeMessage({ ...plain, targetInfo })).targetInfo;
    expect(parse(null)).toBeNull();
    expect(parse([])).toEqual([]);
  });

  it('shows the first of two timestamps', () => {
    const targetInfo = [1, 2].map((byte) => ({
      id: AV_ID.TIMESTAMP,
      value: new Uint8Array(8).fill(byte),
    }));
    const { timestamp } = parseChallengeMessage(formatChallengeMessage({ ...plain, targetInfo }));
    expect(timestamp).toEqual(targetInfo[0]?.value);
  });

  it('refuses a message that ends before the target information it announces', () => {
    const header = formatChallengeMessage({ ...plain, targetName: null }).slice(0, 40);
    expect(() => parseChallengeMessage(header)).toThrow(invalid);
  });

  it('refuses a message over 64 KiB before it reads it', () => {
    expect(() => parseChallengeMessage(new Uint8Array(64 * 1024 + 1))).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_TOO_LARGE' }),
    );
  });
});

/** Flags as a parser gives them: exactly one character set, and TARGET_INFO as the message has it. */
function withCharacterSet(bits: number, unicode: boolean, targetInfo: boolean): number {
  const { UNICODE, OEM, TARGET_INFO } = NTLM_FLAGS;
  const cleared = bits & ~(UNICODE | OEM | TARGET_INFO);
  return (cleared | (unicode ? UNICODE : OEM) | (targetInfo ? TARGET_INFO : 0)) >>> 0;
}
