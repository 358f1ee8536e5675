import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../http1/challenges.ts';
import { Secret } from '../observe/secret.ts';
import { parseIdentity } from './credentials.ts';
import { DigestNonces } from './digest-nonces.ts';
import { digestIn, nextNonceIn, strongestDigest } from './digest-offers.ts';
import { DigestSession } from './digest-session.ts';

const SERVER = 'proxy:3128';

describe('DigestSession', () => {
  it('gives each request a count of its own, under one cnonce', async () => {
    const nonces = new DigestNonces();
    const session = sessionOf(nonces, 'Digest realm="r", nonce="n1", qop="auth"');
    const first = await fieldsOf(session);
    const second = await fieldsOf(session);

    expect([first['nc'], second['nc']]).toEqual(['00000001', '00000002']);
    expect(first['cnonce']).toBe(second['cnonce']);
    expect(first['response']).not.toBe(second['response']);
  });

  it('begins with the nonce that was accepted, and counts on', async () => {
    const nonces = new DigestNonces();
    const first = sessionOf(nonces, 'Digest realm="r", nonce="n1", qop="auth"');
    await first.step();
    expect(await sessionOf(nonces, null).step()).toBeNull();
    first.accepted();

    expect(await fieldsOf(sessionOf(nonces, null))).toMatchObject({ nonce: 'n1', nc: '00000002' });
  });

  it('counts a hundred at once without a gap or a pair', async () => {
    const nonces = new DigestNonces();
    const first = sessionOf(nonces, 'Digest realm="r", nonce="n1", qop="auth"');
    await first.step();
    first.accepted();
    const all = await Promise.all(
      Array.from({ length: 100 }, () => fieldsOf(sessionOf(nonces, null))),
    );

    const counts = all.map(({ nc }) => Number.parseInt(nc ?? '', 16)).sort((a, b) => a - b);
    expect(counts).toEqual(Array.from({ length: 100 }, (_, at) => at + 2));
  });

  it('counts a nonce in use on, however many others come by', async () => {
    const nonces = new DigestNonces();
    const session = sessionOf(nonces, 'Digest realm="r", nonce="n1", qop="auth"');
    const counts: (string | undefined)[] = [];
    for (let other = 0; other < 1100; other += 1) {
      nonces.next(SERVER, `other-${other}`);
      counts.push((await fieldsOf(session))['nc']);
    }

    expect(new Set(counts).size).toBe(1100);
  });

  it('answers a stale nonce under the new one', async () => {
    const session = sessionOf(new DigestNonces(), 'Digest realm="r", nonce="n1", qop="auth"');
    await session.step();
    session.renew(challengeOf('Digest realm="r", nonce="n2", qop="auth", stale=true'));

    expect(await fieldsOf(session)).toMatchObject({ nonce: 'n2', nc: '00000001' });
  });

  it.each([
    ['MD5', 'n2', '00000001'],
    // The secret hangs on the first nonce.
    ['MD5-sess', 'n1', '00000002'],
  ])('%s follows nextnonce to %s', async (algorithm, nonce, nc) => {
    const nonces = new DigestNonces();
    const first = sessionOf(
      nonces,
      `Digest realm="r", nonce="n1", qop="auth", algorithm=${algorithm}`,
    );
    await first.step();
    first.accepted();
    nonces.follow(SERVER, 'n2');

    expect(await fieldsOf(sessionOf(nonces, null))).toMatchObject({ nonce, nc });
  });

  it('forgets the challenge when it is over', async () => {
    const session = sessionOf(new DigestNonces(), 'Digest realm="r", nonce="n1"');
    session[Symbol.dispose]();

    expect(await session.step()).toBeNull();
  });
});

describe('strongestDigest()', () => {
  it.each([
    ['Digest realm=r, nonce=a, algorithm=MD5, Digest realm=r, nonce=b, algorithm=SHA-256', 'b'],
    ['Digest realm=r, nonce=a, algorithm=SHA-999, Digest realm=r, nonce=b', 'b'],
    [
      'Digest realm=r, nonce=a, algorithm=SHA-256, Digest realm=r, nonce=b, algorithm=SHA-512-256-sess',
      'b',
    ],
    ['NTLM, Digest realm=r, Digest realm=r, nonce=c', 'c'],
    ['Digest realm=r, nonce=a, qop="other"', undefined],
  ])('of %s takes %s', (offers, nonce) => {
    expect(strongestDigest(parseChallenges([offers]))?.nonce).toBe(nonce);
  });
});

describe('nextNonceIn()', () => {
  it.each([
    ['nextnonce="n2"', 'n2'],
    [`nextnonce="${'n'.repeat(4096)}"`, 'n'.repeat(4096)],
    [`nextnonce="${'n'.repeat(4097)}"`, null],
    ['qop=auth, rspauth="00", nextnonce="n, 3"', 'n, 3'],
    ['rspauth="00"', null],
    ['', null],
    [undefined, null],
  ])('reads %.30s as %.30s', (field, nonce) => {
    expect(nextNonceIn(field)).toBe(nonce);
  });
});

function sessionOf(nonces: DigestNonces, offer: string | null): DigestSession {
  return new DigestSession({
    identity: parseIdentity('alice', new Secret('secret')),
    server: SERVER,
    nonces,
    request: { method: 'GET', uri: '/', body: new Uint8Array() },
    challenge: offer === null ? null : challengeOf(offer),
  });
}

function challengeOf(offer: string) {
  const [challenge] = parseChallenges([offer]).map(digestIn);
  if (challenge === null || challenge === undefined) {
    throw new Error('not a challenge');
  }
  return challenge;
}

async function fieldsOf(session: DigestSession): Promise<Record<string, string>> {
  const token = Buffer.from((await session.step()) ?? []).toString('latin1');
  return Object.fromEntries(parseChallenges([`Digest ${token}`])[0]?.params ?? []);
}
