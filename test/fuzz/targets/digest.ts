// The parsers of Digest: `src/digest`, what `src/auth` reads of it, and the embedded proxy's own.
import assert from 'node:assert/strict';
import { nextNonceIn, strongestDigest } from '../../../src/auth/digest-offers.ts';
import type { DigestChallenge } from '../../../src/digest/digest-challenge.ts';
import { MAX_PARAMETER_CHARS, parseDigestChallenge } from '../../../src/digest/digest-challenge.ts';
import { digestCredentials } from '../../../src/digest/digest-credentials.ts';
import { parseChallenges } from '../../../src/http1/challenges.ts';
import { DigestAuthority } from '../../../src/testing/acceptors/digest.ts';
import { Accounts } from '../../../src/testing/accounts.ts';
import { assertBounded } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';

const MAX_BYTES = 65_536;
const WORDS = [
  'realm="',
  'nonce=n',
  'algorithm=',
  'SHA-256',
  'SHA-512-256',
  'MD5-sess',
  'qop="auth,auth-int"',
  'opaque=',
  'userhash=true',
  'charset=UTF-8',
  'stale=true',
  'nextnonce="',
  "username*=UTF-8''",
  'nc=00000001',
  'cnonce=',
  'uri="/"',
  '\\"',
  ', ',
];
const accounts = await Accounts.of([{ name: 'alice', domain: 'CORP', password: 'secret' }]);
const AUTHORITIES = [
  new DigestAuthority({ realm: 'r' }, accounts),
  new DigestAuthority(
    { realm: 'r', algorithms: ['SHA-256-sess', 'MD5'], userhash: true, utf8: true },
    accounts,
  ),
  new DigestAuthority({ realm: 'r', qop: null }, accounts),
];

export const DIGEST_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'digest-challenge',
    sources: [
      'src/digest/digest-challenge',
      'src/digest/digest-credentials',
      'src/auth/digest-offers',
    ],
    maxBytes: MAX_BYTES,
    seeds: [
      'realm="a\\"b", nonce="n", qop="auth,auth-int", algorithm=SHA-256, opaque="o", charset=UTF-8',
      'realm=r, nonce=n',
      'realm=r, nonce=n, algorithm=MD5-sess, qop=auth, userhash=true, stale=TRUE, nextnonce=m',
    ],
    dictionary: WORDS,
    run(input) {
      // The field reader lets neither of them through.
      const text = input.toString('latin1').replaceAll(/[\0\r\n]/g, ' ');
      const nextNonce = nextNonceIn(text);
      assert.ok((nextNonce?.length ?? 0) <= MAX_PARAMETER_CHARS, 'a nonce goes back each time');
      const [offer] = parseChallenges([`Digest ${text}`]);
      const challenge = offer === undefined ? null : parseDigestChallenge(offer.params);
      if (challenge !== null && offer !== undefined) {
        assertBounded(challenge, { depth: 1, items: 10, size: 5 * MAX_PARAMETER_CHARS });
        assert.deepEqual(strongestDigest([offer]), challenge);
        assertAnswer(challenge);
      }
    },
  },
  {
    name: 'testing-digest',
    sources: ['src/testing/acceptors/digest'],
    maxBytes: MAX_BYTES,
    seeds: [
      'username="alice", realm="r", nonce="n", uri="/", response="0", opaque="a\\"b", qop=auth, nc=00000001, cnonce="c"',
      'username*=UTF-8\'\'alice, realm=r, nonce=n, uri="/", response=0, opaque="a\\"b", algorithm=MD5, qop=auth, nc=00000001, cnonce=c',
      'username=alice, realm=r, nonce=n, uri="/", response=0, opaque="a\\"b"',
    ],
    dictionary: WORDS,
    run(input) {
      for (const authority of AUTHORITIES) {
        const request = { method: 'GET', target: '/' };
        const verdict = authority.judge(input.toString('latin1'), request);
        // No nonce was given out.
        assert.notEqual(verdict.reason, null);
        assertBounded(verdict, { depth: 1, items: 4, size: input.length + 64 });
      }
    },
  },
];

/** What goes back says what came, and stays one field. */
function assertAnswer(challenge: DigestChallenge): void {
  const answer = digestCredentials({
    challenge,
    user: 'zo\u00eb "x"',
    password: 'secret',
    method: 'GET',
    uri: '/a?b="c"',
    nonceCount: 1,
    cnonce: 'c',
    body: Buffer.from('body'),
  });
  assert.doesNotMatch(answer, /[\0\r\n]|[^\0-\xff]/);
  assert.ok(answer.length <= 6 * MAX_PARAMETER_CHARS + 1024);
  const [{ params } = { params: new Map<string, string>() }] = parseChallenges([
    `Digest ${answer}`,
  ]);
  assert.equal(params.get('realm'), challenge.realm);
  assert.equal(params.get('nonce'), challenge.nonce);
  assert.equal(params.get('opaque') ?? null, challenge.opaque);
  assert.equal(params.get('algorithm') ?? null, challenge.algorithmName);
  assert.equal(params.get('uri'), '/a?b="c"');
  assert.equal(params.has('username') || params.has('username*'), true);
}
