// What every parser of this folder owes to bytes nobody vouches for.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { createAuthenticateMessage, parseAuthenticateMessage } from './authenticate-message.ts';
import { parseAvPairs } from './av-pairs.ts';
import { parseChallengeMessage } from './challenge-message.ts';
import { formatNegotiateMessage, parseNegotiateMessage } from './negotiate-message.ts';
import { isNtlmMessage } from './ntlm-message.ts';
import { parseNtlmv2Response } from './ntlmv2-response.ts';

const { ntlm_generated: generated } = JSON.parse(
  readFileSync(new URL('../../test/fixtures/vectors.json', import.meta.url), 'utf8'),
) as {
  ntlm_generated: {
    negotiate: string;
    challenge: string;
    expect: { authenticate: string; targetInfoSent: string; ntResponse: string };
  }[];
};
const unhex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

/** Bytes of any kind, bytes that begin as NTLM does, and valid messages with a few bytes changed or cut off. */
function untrusted(valid: readonly string[]): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(1_000), fc.nat(255)), { maxLength: 6 });
  const mutated = fc
    .tuple(fc.constantFrom(...valid.map(unhex)), changes, fc.option(fc.nat(1_000)))
    .map(([message, edits, end]) => {
      const bytes = message.slice(0, end === null ? undefined : end % message.length);
      for (const [at, byte] of edits) {
        if (bytes.length > 0) {
          bytes[at % bytes.length] = byte;
        }
      }
      return bytes;
    });
  const prefixed = fc
    .tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 100 }))
    .map(([type, rest]) => Uint8Array.from([...Buffer.from('NTLMSSP\0'), type, 0, 0, 0, ...rest]));
  return fc.oneof(fc.uint8Array({ maxLength: 100 }), prefixed, { arbitrary: mutated, weight: 4 });
}

function outcome(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string {
  try {
    parse(bytes);
    return 'value';
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
}

describe('the parsers of src/ntlm/', () => {
  const parsers: [name: string, parse: (bytes: Uint8Array) => unknown, valid: string[]][] = [
    ['parseNegotiateMessage', parseNegotiateMessage, generated.map((one) => one.negotiate)],
    ['parseChallengeMessage', parseChallengeMessage, generated.map((one) => one.challenge)],
    [
      'parseAuthenticateMessage',
      parseAuthenticateMessage,
      generated.map((one) => one.expect.authenticate),
    ],
    ['parseAvPairs', parseAvPairs, generated.map((one) => one.expect.targetInfoSent)],
    ['parseNtlmv2Response', parseNtlmv2Response, generated.map((one) => one.expect.ntResponse)],
  ];

  it.each(parsers)(
    '%s() gives a value or a SallyportError on any bytes',
    { timeout: 20_000 },
    (_name, parse, valid) => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(untrusted(valid), (bytes) => {
          const result = outcome(parse, bytes);
          seen.add(result);
          expect(['value', 'CHALLENGE_INVALID']).toContain(result);
        }),
        { numRuns: 10_000 },
      );
      expect([...seen].sort()).toEqual(['CHALLENGE_INVALID', 'value']);
    },
  );

  it('createAuthenticateMessage() gives a message or a SallyportError on any challenge', {
    timeout: 20_000,
  }, async () => {
    const negotiate = formatNegotiateMessage({ sign: false });
    await fc.assert(
      fc.asyncProperty(untrusted(generated.map((one) => one.challenge)), async (challenge) => {
        const result = await createAuthenticateMessage({
          negotiate,
          challenge,
          user: 'alice',
          domain: 'CORP',
          workstation: '',
          password: 'Secret-1',
          spn: 'HTTP/proxy.example',
          channelBinding: null,
          deps: { now: () => 0n, randomBytes: (length) => new Uint8Array(length) },
        }).then(
          ({ message }) => parseAuthenticateMessage(message).user,
          (error: unknown) => (isSallyportError(error) ? error.code : String(error)),
        );
        expect(['alice', 'CHALLENGE_INVALID']).toContain(result);
      }),
      { numRuns: 500 },
    );
  });
});

describe('isNtlmMessage()', () => {
  it.each([
    ['a NEGOTIATE', formatNegotiateMessage({ sign: false }), true],
    ['a SPNEGO token', Uint8Array.of(0x60, 0x48, 0x06, 0x06, 0x2b, 6, 1, 5, 5, 2, 0, 0), false],
    ['the signature without a type', unhex('4e544c4d53535000'), false],
    ['nothing', new Uint8Array(), false],
  ])('tells %s', (_claim, bytes, wanted) => {
    expect(isNtlmMessage(bytes)).toBe(wanted);
  });
});
