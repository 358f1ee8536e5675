import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DigestChallenge } from './digest-challenge.ts';
import { parseDigestChallenge } from './digest-challenge.ts';
import type { DigestInput } from './digest-credentials.ts';
import { digestCredentials, digestResponse } from './digest-credentials.ts';

interface Vector {
  readonly user: string;
  readonly realm: string;
  readonly password: string;
  readonly nonce: string;
  readonly cnonce?: string;
  readonly nc?: string;
  readonly qop: string;
  readonly method: string;
  readonly uri: string;
  readonly body?: string;
  readonly algorithm: string;
  readonly userhash?: boolean;
  readonly username_field?: string;
  readonly response: string;
  readonly source: string;
}

const VECTORS = (
  JSON.parse(
    readFileSync(new URL('../../test/fixtures/vectors.json', import.meta.url), 'utf8'),
  ) as { readonly digest: readonly Vector[] }
).digest;

describe('digestCredentials()', () => {
  it('has vectors to be held against', () => {
    expect(VECTORS).toHaveLength(11);
  });

  it.each(VECTORS)('$source: $algorithm, qop "$qop", $method', (vector) => {
    const { realm, nonce, algorithm, qop, userhash, body = '' } = vector;
    const challenge = challengeOf({
      ...{ realm, nonce, algorithm, qop, charset: 'UTF-8' },
      ...(userhash ? { userhash: 'true' } : {}),
    });
    const made: DigestInput = {
      challenge,
      user: vector.user,
      password: vector.password,
      method: vector.method,
      uri: vector.uri,
      nonceCount: Number.parseInt(vector.nc ?? '1', 16),
      cnonce: vector.cnonce ?? '',
      body: Buffer.from(body),
    };

    expect(digestResponse(made)).toBe(vector.response);
    expect(digestCredentials(made)).toContain(`response="${vector.response}"`);
    if (vector.username_field !== undefined) {
      expect(digestCredentials(made)).toContain(`username="${vector.username_field}"`);
    }
  });

  it('sends back what was sent, as it was sent, and quotes what must be', () => {
    const challenge = challengeOf({
      ...{ realm: 'a "b" \\c', nonce: 'n', opaque: 'o"', algorithm: 'sha-256', qop: 'auth' },
    });
    const credentials = digestCredentials({ ...INPUT, challenge, nonceCount: 26 });

    expect(credentials).toMatch(
      /^username="CORP\\\\alice", realm="a \\"b\\" \\\\c", nonce="n", uri="\/", response="[0-9a-f]{64}", algorithm=sha-256, opaque="o\\"", qop=auth, nc=0000001a, cnonce="c"$/,
    );
  });

  it('without qop and algorithm sends neither, nor a count (RFC 2069)', () => {
    const credentials = digestCredentials({ ...INPUT, challenge: challengeOf({}) });

    expect(credentials).toMatch(
      /^username="[^"]*", realm="r", nonce="n", uri="\/", response="[0-9a-f]{32}"$/,
    );
  });

  it.each([
    ['jäsøn', {}, `username="${Buffer.from('jäsøn', 'latin1').toString('latin1')}"`],
    ['jäsøn', { charset: 'UTF-8' }, "username*=UTF-8''j%C3%A4s%C3%B8n"],
    ["jä'(*)", { charset: 'utf-8' }, "username*=UTF-8''j%C3%A4%27%28%2A%29"],
    ['Ωλ', {}, `username="${Buffer.from('Ωλ').toString('latin1')}"`],
  ])('sends the name %s of a challenge with %o as %s', (user, more, field) => {
    const challenge = challengeOf({ qop: 'auth', ...more });

    expect(digestCredentials({ ...INPUT, user, challenge })).toContain(field);
  });

  it('hashes a name in the charset the server names, composed', () => {
    const of = (user: string, more: Record<string, string>) =>
      digestResponse({ ...INPUT, user, challenge: challengeOf({ qop: 'auth', ...more }) });

    expect(of('a\u0308', {})).toBe(of('ä', {}));
    expect(of('ä', {})).not.toBe(of('ä', { charset: 'UTF-8' }));
  });

  it('sends name and password in one charset', () => {
    const challenge = challengeOf({ qop: 'auth' });
    const credentials = digestCredentials({ ...INPUT, challenge, user: 'zoë', password: '€' });

    expect(credentials).toContain(`username="${Buffer.from('zoë').toString('latin1')}"`);
  });

  it('cannot take in a body that is not known', () => {
    const challenge = challengeOf({ qop: 'auth-int' });

    expect(() => digestCredentials({ ...INPUT, challenge, body: null })).toThrow(
      expect.objectContaining({ code: 'BODY_NOT_REPLAYABLE' }),
    );
  });
});

describe('parseDigestChallenge()', () => {
  it.each<[string, Record<string, string>, Partial<DigestChallenge> | null]>([
    ['MD5 where none is named', {}, { algorithm: 'MD5', algorithmName: null, qop: null }],
    ['any case', { algorithm: 'Sha-256-SESS' }, { algorithm: 'SHA-256', isSession: true }],
    ['an algorithm nobody knows', { algorithm: 'SHA-512' }, null],
    ['auth before auth-int', { qop: ' auth-int , auth' }, { qop: 'auth' }],
    ['auth-int alone', { qop: 'auth-int' }, { qop: 'auth-int' }],
    ['a qop nobody knows', { qop: 'auth-conf' }, null],
    ['an unknown qop beside a known one', { qop: 'token,AUTH' }, { qop: 'auth' }],
    ['an empty qop', { qop: '' }, { qop: null }],
    ['stale in any case', { stale: 'TRUE' }, { isStale: true }],
    ['no stale', { stale: 'no' }, { isStale: false }],
    ['userhash', { userhash: 'true' }, { userhash: true }],
    ['an endless nonce', { nonce: 'n'.repeat(4097) }, null],
  ])('reads %s', (_, params, expected) => {
    const challenge = parseDigestChallenge(
      new Map(Object.entries({ realm: 'r', nonce: 'n', ...params })),
    );
    expected === null ? expect(challenge).toBeNull() : expect(challenge).toMatchObject(expected);
  });

  it.each(['realm', 'nonce'])('wants a %s', (missing) => {
    const params = new Map([
      ['realm', 'r'],
      ['nonce', 'n'],
    ]);
    params.delete(missing);

    expect(parseDigestChallenge(params)).toBeNull();
  });
});

const INPUT: Omit<DigestInput, 'challenge'> = {
  user: 'CORP\\alice',
  password: 'secret',
  method: 'GET',
  uri: '/',
  nonceCount: 1,
  cnonce: 'c',
  body: new Uint8Array(),
};

function challengeOf(params: Readonly<Record<string, string>>): DigestChallenge {
  const challenge = parseDigestChallenge(
    new Map(Object.entries({ realm: 'r', nonce: 'n', ...params })),
  );
  if (challenge === null) {
    throw new Error('not a challenge');
  }
  return challenge;
}
