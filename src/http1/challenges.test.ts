import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { decodeToken68, formatCredentials, isScheme, parseChallenges } from './challenges.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../test/fixtures/vectors.json', import.meta.url), 'utf8'),
) as { challenges: { header: string[]; expect: unknown }[] };

const shown = (lines: string[]) =>
  parseChallenges(lines).map((one) => [
    one.scheme.toLowerCase(),
    one.token68 ?? (one.params.size > 0 ? Object.fromEntries(one.params) : null),
  ]);

describe('parseChallenges()', () => {
  for (const { header, expect: wanted } of vectors.challenges) {
    if (Array.isArray(wanted)) {
      it(`reads the vector ${JSON.stringify(header)}`, () => {
        expect(shown(header)).toEqual(wanted);
      });
    }
  }

  it.each([
    [
      'takes the rest as value when a quote is not closed',
      ['Basic realm="un', 'NTLM'],
      [
        ['basic', { realm: 'un' }],
        ['ntlm', null],
      ],
    ],
    [
      'keeps the sound challenges round a malformed one',
      ['NTLM, =x, Negotiate'],
      [
        ['ntlm', null],
        ['negotiate', null],
      ],
    ],
    [
      'reads what squid makes of a GSS-NTLMSSP reply as no token',
      ['Negotiate token=oYG='],
      [['negotiate', { token: 'oYG' }]],
    ],
    [
      'skips words that are neither token nor parameter',
      ['NTLM Basic realm=x, Negotiate'],
      [
        ['ntlm', null],
        ['negotiate', null],
      ],
    ],
    [
      'keeps the first of a repeated parameter',
      ['Digest nonce=a, nonce=b'],
      [['digest', { nonce: 'a' }]],
    ],
    [
      'reads an empty parameter value',
      ['Digest nonce=n, opaque=, realm="r"'],
      [['digest', { nonce: 'n', opaque: '', realm: 'r' }]],
    ],
    [
      'takes a backslash at the end of a quote as it is',
      ['Basic realm="a\\'],
      [['basic', { realm: 'a' }]],
    ],
  ])('%s', (_claim, lines, wanted) => {
    expect(shown(lines as string[])).toEqual(wanted);
  });

  it('passes over what is more than 64 challenges, or 64 parameters of one', () => {
    const offers = parseChallenges(['a=b, NTLM, '.repeat(200), 'Basic']);
    expect(offers).toHaveLength(64);
    const many = Array.from({ length: 200 }, (_, index) => `p${index}=${index}`).join(', ');
    const [digest, basic] = parseChallenges([`Digest ${many}, Basic`]);
    expect(digest?.params.size).toBe(64);
    expect(basic?.scheme).toBe('Basic');
  });

  it('never throws on arbitrary text', { timeout: 20_000 }, () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('NTLM', 'Negotiate', ' ', ',', '=', '"', '\\', 'realm', 'TlRM=', '==', '\t'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        expect(Array.isArray(parseChallenges([pieces.join('')]))).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  it('gives back what was formatted', { timeout: 20_000 }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (token) => {
        const [challenge] = parseChallenges([
          `Basic realm="a,b", ${formatCredentials('NTLM', token)}, X`,
        ]).slice(1);
        expect(decodeToken68(challenge?.token68 ?? '')).toEqual(token);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('isScheme()', () => {
  it('compares whole words without case', () => {
    const [decoy, plain] = parseChallenges(['Magic-Negotiate', 'negotiate']);
    expect(decoy && isScheme(decoy, 'Negotiate')).toBe(false);
    expect(plain && isScheme(plain, 'Negotiate')).toBe(true);
  });
});

describe('decodeToken68()', () => {
  it('cuts surplus padding', () => {
    expect(Buffer.from(decodeToken68('TlRM====')).toString()).toBe('NTL');
  });

  it.each([
    ['', 'CHALLENGE_INVALID'],
    ['a', 'CHALLENGE_INVALID'],
    ['TlRM_-', 'CHALLENGE_INVALID'],
    ['Tl=RM', 'CHALLENGE_INVALID'],
    ['A'.repeat(90_000), 'CHALLENGE_TOO_LARGE'],
  ])('refuses %.12s with %s', (token, code) => {
    expect(() => decodeToken68(token)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses equals signs that are no padding in no time', { timeout: 500 }, () => {
    expect(() => decodeToken68(`TlRM${'='.repeat(80_000)}x`)).toThrow('not base64');
  });

  it('gives bytes or a named error on arbitrary text', { timeout: 20_000 }, () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          decodeToken68(text);
        } catch (error) {
          expect(isSallyportError(error)).toBe(true);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
