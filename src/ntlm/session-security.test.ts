import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signMechList } from './session-security.ts';

const key = new Uint8Array(16).fill(7);
const list = Uint8Array.from(Buffer.from('300c060a2b06010401823702020a', 'hex'));

describe('signMechList()', () => {
  it('is version 1, half an HMAC over number and list, and the number', () => {
    const checksum = createHmac('md5', key)
      .update(Uint8Array.of(2, 0, 0, 0))
      .update(list)
      .digest();
    expect(Buffer.from(signMechList(key, 2, list)).toString('hex')).toBe(
      `01000000${checksum.toString('hex').slice(0, 16)}02000000`,
    );
  });
});
