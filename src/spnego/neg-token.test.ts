import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { parseNegTokenInit, parseNegTokenResp, parseSpnegoToken } from './neg-token.ts';
import type { NegTokenInit, NegTokenResp } from './token-fields.ts';
import { MECH } from './token-fields.ts';
import { formatNegTokenInit, formatNegTokenResp, mechTypeListDer } from './write-token.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), 'utf8'));
const { ntlm_generated: generated } = read('vectors.json') as {
  ntlm_generated: {
    id: string;
    negotiate: string;
    challenge: string;
    expect: Record<string, string>;
  }[];
};
const transcripts = read('transcripts.json') as { name: string; exchanges: { sent: string }[] }[];
const g5 = generated.find(({ id }) => id === 'G5');
const wanted = (name: string) => g5?.expect[name] ?? '';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const invalid = expect.objectContaining({ code: 'CHALLENGE_INVALID' });

describe('the SPNEGO tokens of vector G5', () => {
  const init = { mechTypes: [MECH.NTLMSSP], mechToken: unhex(g5?.negotiate ?? '') };
  const server1: NegTokenResp = {
    negState: 'accept-incomplete',
    supportedMech: MECH.NTLMSSP,
    responseToken: unhex(g5?.challenge ?? ''),
  };
  const client2: NegTokenResp = {
    negState: 'accept-incomplete',
    responseToken: unhex(wanted('authenticate')),
    mechListMic: unhex(wanted('mechListMICClient')),
  };
  const server3: NegTokenResp = {
    negState: 'accept-completed',
    mechListMic: unhex(wanted('mechListMICServer')),
  };

  it('mechTypeListDer() gives the bytes the signature covers', () => {
    expect(hex(mechTypeListDer([MECH.NTLMSSP]))).toBe(wanted('mechTypesDER'));
  });

  it('are written and read: negTokenInit', () => {
    expect(hex(formatNegTokenInit(init))).toBe(wanted('negTokenInit'));
    expect(parseNegTokenInit(unhex(wanted('negTokenInit')))).toEqual(init);
  });

  it.each([
    ['negTokenRespServer1', server1],
    ['negTokenRespClient2', client2],
    ['negTokenRespServer3', server3],
  ])('are written and read: %s', (name, token) => {
    expect(hex(formatNegTokenResp(token))).toBe(wanted(name));
    expect(parseNegTokenResp(unhex(wanted(name)))).toEqual(token);
  });
});

describe('parseSpnegoToken()', () => {
  it('reads the Kerberos token of a real client', () => {
    const { exchanges } = transcripts.find(({ name }) => name === 'curl kerberos') ?? {};
    const token = parseSpnegoToken(Buffer.from(exchanges?.[0]?.sent ?? '', 'base64'));
    expect(token).toMatchObject({ kind: 'init', mechTypes: [MECH.KERBEROS] });
    expect(token.kind === 'init' && token.mechToken?.[0]).toBe(0x60);
  });

  it('reads the restart a live proxy asks for (px issue 29)', () => {
    const token = Buffer.from('oRUwE6ADCgEDoQwGCisGAQQBgjcCAgo=', 'base64');
    expect(parseSpnegoToken(token)).toEqual({
      kind: 'resp',
      negState: 'request-mic',
      supportedMech: MECH.NTLMSSP,
    });
  });

  it('passes over the hints of a server that speaks first, and finds the MIC behind them', () => {
    const hints = 'a3083006a0041b026869';
    const body = `a00e300c060a2b06010401823702020a${hints}a403040155`;
    const sequence = `30${(body.length / 2).toString(16)}${body}`;
    const choice = `a0${(sequence.length / 2).toString(16)}${sequence}`;
    const inner = `06062b0601050502${choice}`;
    expect(parseSpnegoToken(unhex(`60${(inner.length / 2).toString(16)}${inner}`))).toEqual({
      kind: 'init',
      mechTypes: [MECH.NTLMSSP],
      mechListMic: Uint8Array.of(0x55),
    });
  });

  it('ignores a signature that only repeats the token (Windows 2000)', () => {
    const same = Uint8Array.of(1, 2, 3);
    const token = formatNegTokenResp({ responseToken: same, mechListMic: same });
    expect(parseSpnegoToken(token)).toEqual({ kind: 'resp', responseToken: same });
  });

  it.each([
    ['in a form of its own', 'a109300785010aa0030a0101'],
    ['constructed', 'a10c300aa503020107a0030a0101'],
  ])('skips an unknown field %s', (_claim, token) => {
    expect(parseSpnegoToken(unhex(token))).toEqual({ kind: 'resp', negState: 'accept-incomplete' });
  });

  it.each([
    ['nothing', '', 'not well-formed'],
    ['an NTLM message', '4e544c4d5353500002000000', 'not well-formed'],
    ['an indefinite length outside', 'a1800000', 'not well-formed'],
    ['an indefinite length inside', 'a1093080a0030a01010000', 'not well-formed'],
    ['a byte behind the token', 'a1073005a0030a010100', 'not well-formed'],
    ['a length past the end', 'a1083005a0030a0101', 'not well-formed'],
    ['a token cut off', 'a1073005a0030a01', 'not well-formed'],
    ['an unknown state', 'a1073005a0030a0104', 'unknown negState'],
    ['a state of five bytes', 'a10b3009a0070a050000000000', 'unknown negState'],
    ['a state that is an INTEGER', 'a1073005a003020101', 'unknown negState'],
    ['a mechanism that is no identifier', 'a1073005a103040101', 'no identifier'],
    ['an empty identifier', 'a1063004a1020600', 'no identifier'],
    ['an identifier of 64 numbers', `a1463044a1420640${'2b'.repeat(64)}`, 'no identifier'],
    ['a response token that is no OCTET STRING', 'a1073005a203020101', 'no OCTET STRING'],
    ['an OCTET STRING in pieces', 'a1093007a205240304014e', 'not well-formed'],
    ['a field twice', 'a10c300aa0030a0101a0030a0101', 'one value'],
    ['a field with two values', 'a10a3008a0060a01010a0101', 'one value'],
    ['no SEQUENCE', 'a1030a0101', 'no SEQUENCE'],
    ['the frame of Kerberos', '600f06092a864886f712010202a0023000', 'other than SPNEGO'],
    ['a first token without mechanisms', '601006062b0601050502a0063004a0023000', 'no mechanism'],
    ['a choice there is not', 'a2073005a0030a0101', 'not of SPNEGO'],
  ])('refuses %s', (_claim, token, reason) => {
    expect(() => parseSpnegoToken(unhex(token))).toThrow(
      expect.objectContaining({
        code: 'CHALLENGE_INVALID',
        message: expect.stringContaining(reason) as string,
      }),
    );
  });

  it('refuses a token over 64 KiB', () => {
    const token = formatNegTokenResp({ responseToken: new Uint8Array(64 * 1024) });
    expect(() => parseSpnegoToken(token)).toThrow(
      expect.objectContaining({ code: 'CHALLENGE_TOO_LARGE' }),
    );
  });

  it('gives a token or a SallyportError on any bytes', { timeout: 20_000 }, () => {
    const valid = ['negTokenInit', 'negTokenRespServer1', 'negTokenRespServer3'].map((name) =>
      unhex(wanted(name)),
    );
    const edits = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 });
    const mutated = fc
      .tuple(fc.constantFrom(...valid), edits, fc.option(fc.nat(300)))
      .map(([token, changes, end]) => {
        const bytes = token.slice(0, end ?? undefined);
        for (const [at, byte] of changes) {
          bytes[at % Math.max(bytes.length, 1)] = byte;
        }
        return bytes;
      });
    const tagged = fc
      .tuple(
        fc.constantFrom(0x60, 0xa1, 0x30, 0x24, 0x17, 0x18, 0x1e, 0x09, 0x0d),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([tag, rest]) => Uint8Array.from([tag, rest.length, ...rest]));
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(mutated, tagged, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        const outcome = outcomeOf(bytes);
        seen.add(outcome);
        return outcome === 'value' || outcome === 'CHALLENGE_INVALID';
      }),
      { numRuns: 10_000 },
    );
    expect([...seen].sort()).toEqual(['CHALLENGE_INVALID', 'value']);
  });

  function outcomeOf(bytes: Uint8Array): string {
    try {
      parseSpnegoToken(bytes);
      return 'value';
    } catch (error) {
      return isSallyportError(error) ? error.code : String(error);
    }
  }
});

describe('parseNegTokenInit() and parseNegTokenResp()', () => {
  // Lengths on both sides of the limits where DER changes the form of a length.
  const octets = fc.constantFrom(
    undefined,
    ...[0, 1, 127, 128, 255, 256, 1_000].map((length) => new Uint8Array(length).fill(length)),
  );
  const oid = fc.tuple(fc.nat(2), fc.nat(39), fc.nat(), fc.nat(300)).map((arcs) => arcs.join('.'));
  const mechanism = fc.oneof(fc.constantFrom(...Object.values(MECH)), oid);
  /** Without the fields that are undefined. */
  const present = <T extends object>(token: { [K in keyof T]: T[K] | undefined }): T =>
    Object.fromEntries(Object.entries(token).filter(([, value]) => value !== undefined)) as T;

  it('read back any first token', { timeout: 20_000 }, () => {
    fc.assert(
      fc.property(
        fc.array(mechanism, { minLength: 1, maxLength: 3 }),
        octets,
        octets,
        (mechTypes, mechToken, mechListMic) => {
          const token = present<NegTokenInit>({ mechTypes, mechToken, mechListMic });
          return isDeepStrictEqual(parseNegTokenInit(formatNegTokenInit(token)), token);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('read back any later token', { timeout: 20_000 }, () => {
    const states = ['accept-completed', 'accept-incomplete', 'reject', 'request-mic'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(undefined, ...states),
        fc.option(mechanism, { nil: undefined }),
        octets,
        octets,
        (negState, supportedMech, responseToken, mic) => {
          const mechListMic = isDeepStrictEqual(mic, responseToken) ? undefined : mic;
          const token = present<NegTokenResp>({
            negState,
            supportedMech,
            responseToken,
            mechListMic,
          });
          return isDeepStrictEqual(parseNegTokenResp(formatNegTokenResp(token)), token);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('each refuse the other’s token', () => {
    expect(() => parseNegTokenInit(unhex(wanted('negTokenRespServer3')))).toThrow(invalid);
    expect(() => parseNegTokenResp(unhex(wanted('negTokenInit')))).toThrow(invalid);
  });
});
