import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeDer, writeOid } from '../der.ts';
import {
  NEG_STATE,
  NTLMSSP,
  readNegTokenInit,
  readNegTokenResp,
  writeNegTokenResp,
} from './spnego-tokens.ts';

interface Transcript {
  readonly name: string;
  readonly exchanges: readonly { readonly sent?: string; readonly received?: string }[];
  readonly ntlm: { readonly type1: string; readonly type2: string; readonly type3: string };
}

const captured = transcript('gss-ntlmssp winbind SSO in SPNEGO');
const [first, second] = captured.exchanges.map(({ sent, received }) => ({
  sent: Buffer.from(sent ?? '', 'base64'),
  received: Buffer.from(received ?? '', 'base64'),
}));

describe('SPNEGO tokens of gss-ntlmssp and Samba', () => {
  it('readNegTokenInit() finds the mechanism and its token', () => {
    expect(readNegTokenInit(first?.sent ?? Buffer.alloc(0))).toEqual({
      mechTypes: [writeOid(NTLMSSP)],
      mechTypesDer: writeDer(0x30, writeOid(NTLMSSP)),
      mechToken: Buffer.from(captured.ntlm.type1, 'hex'),
    });
  });

  it('readNegTokenResp() finds the last leg', () => {
    expect(readNegTokenResp(second?.sent ?? Buffer.alloc(0))?.responseToken?.toString('hex')).toBe(
      captured.ntlm.type3,
    );
  });

  it('writeNegTokenResp() writes the challenge as Samba does', () => {
    const reply = writeNegTokenResp({
      negState: NEG_STATE.ACCEPT_INCOMPLETE,
      namesMech: true,
      responseToken: Buffer.from(captured.ntlm.type2, 'hex'),
    });

    expect(reply).toEqual(first?.received);
  });

  it('writeNegTokenResp() writes request-mic as seen from a proxy (px issue 29)', () => {
    const reply = writeNegTokenResp({ negState: NEG_STATE.REQUEST_MIC, namesMech: true });

    expect(reply.toString('base64')).toBe('oRUwE6ADCgEDoQwGCisGAQQBgjcCAgo=');
  });
});

describe('readNegTokenInit() and readNegTokenResp()', () => {
  it('give null, and never throw, for whatever else arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(readNegTokenInit(Buffer.from(bytes))).toBeNull();
        expect(readNegTokenResp(Buffer.from([0x61, ...bytes]))).toBeNull();
      }),
    );
  });

  it('give null for every cut of a token', () => {
    const tokens = [first?.sent ?? Buffer.alloc(0), second?.sent ?? Buffer.alloc(0)];
    for (const token of tokens) {
      for (let length = 0; length < token.length; length += 1) {
        const cut = token.subarray(0, length);
        expect(readNegTokenInit(cut) ?? readNegTokenResp(cut)).toBeNull();
      }
    }
  });
});

function transcript(name: string): Transcript {
  const url = new URL('../../../test/fixtures/transcripts.json', import.meta.url);
  const all: Transcript[] = JSON.parse(readFileSync(url, 'utf8'));
  const found = all.find((one) => one.name === name);
  if (found === undefined) {
    throw new Error(`no transcript ${name}`);
  }
  return found;
}
