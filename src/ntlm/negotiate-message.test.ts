import { describe, expect, it } from 'vitest';
import { formatNegotiateMessage, parseNegotiateMessage } from './negotiate-message.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

describe('formatNegotiateMessage()', () => {
  it('writes the 40 bytes of the Windows HTTP client, with our version', () => {
    expect(hex(formatNegotiateMessage({ sign: false }))).toBe(
      '4e544c4d5353500001000000078208a2000000000000000000000000000000000a00614a0000000f',
    );
  });

  it('adds nothing but SIGN when asked to', () => {
    expect(hex(formatNegotiateMessage({ sign: true }))).toBe(
      '4e544c4d5353500001000000178208a2000000000000000000000000000000000a00614a0000000f',
    );
  });
});

describe('parseNegotiateMessage()', () => {
  it.each([
    { sign: false, flags: 0xa208_8207 },
    { sign: true, flags: 0xa208_8217 },
  ])('reads back what was written: sign $sign', ({ sign, flags }) => {
    expect(parseNegotiateMessage(formatNegotiateMessage({ sign }))).toEqual({
      flags,
      domain: '',
      workstation: '',
      version: unhex('0a00614a0000000f'),
    });
  });

  it.each([
    ['16 bytes: flags only', '4e544c4d535350000100000006820800', 0x0008_8206, '', '', null],
    [
      '32 bytes: no version',
      '4e544c4d53535000010000000782080000000000200000000000000020000000',
      0x0008_8207,
      '',
      '',
      null,
    ],
    [
      'names in the place of the version although VERSION is set (cntlm)',
      '4e544c4d535350000100000005b208a2040004002500000005000500200000004c41425753434f5250',
      0xa208_b205,
      'CORP',
      'LABWS',
      null,
    ],
    [
      'names behind the version',
      '4e544c4d53535000010000000732000204000400280000000000000000000000060100000000000f434f5250',
      0x0200_3207,
      'CORP',
      '',
      '060100000000000f',
    ],
  ])('takes %s', (_claim, message, flags, domain, workstation, version) => {
    const parsed = parseNegotiateMessage(unhex(message));
    expect(parsed).toMatchObject({ flags, domain, workstation });
    expect(parsed.version && hex(parsed.version)).toBe(version);
  });

  it.each([
    ['15 bytes', '4e544c4d5353500001000000068208'],
    ['a CHALLENGE', `4e544c4d5353500002000000${'00'.repeat(28)}`],
    [
      'a domain name past the end',
      '4e544c4d53535000010000000782080005000500200000000000000000000000434f5250',
    ],
  ])('refuses %s', (_claim, message) => {
    expect(() => parseNegotiateMessage(unhex(message))).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_INVALID' }),
    );
  });
});
