import { describe, expect, it } from 'vitest';
import { splitAtToken } from './answers.ts';

describe('splitAtToken()', () => {
  it('cuts twice within the token and loses nothing', () => {
    const token = Buffer.from('NTLMSSP\0 and so on').toString('base64');
    const head = `HTTP/1.1 407 X\r\nProxy-Authenticate: NTLM ${token}\r\n\r\n`;
    const packets = splitAtToken(Buffer.from(head)).map(String);

    expect(packets.join('')).toBe(head);
    expect(packets).toHaveLength(4);
    expect(packets[1]?.endsWith(`NTLM ${token.slice(0, 3)}`)).toBe(true);
    expect(packets[2]).toBe(token.slice(3, -2));
  });

  it('leaves a head without a token whole', () => {
    const head = Buffer.from('HTTP/1.1 407 X\r\nProxy-Authenticate: NTLM\r\n\r\n');

    expect(splitAtToken(head)).toEqual([head]);
  });
});
