// The parsers of `src/spnego`, and what else reads DER with them.
import assert from 'node:assert/strict';
import type { AsnType } from 'asn1js';
import { tlsServerEndPoint } from '../../../src/auth/tls-server-end-point.ts';
import { checkNtlmChallenge } from '../../../src/native/ntlm-guard.ts';
import { childrenOf, parseDer } from '../../../src/spnego/der.ts';
import {
  parseNegTokenInit,
  parseNegTokenResp,
  parseSpnegoToken,
} from '../../../src/spnego/neg-token.ts';
import { formatNegTokenInit, formatNegTokenResp } from '../../../src/spnego/write-token.ts';
import { acceptedBy, assertBounded, hex } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { CAPTURED_SPNEGO, capturedNtlm } from './captured.ts';

const MALFORMED = ['CHALLENGE_INVALID', 'CHALLENGE_TOO_LARGE'] as const;
const MAX_BYTES = 65_536 + 16;
const DER_WORDS = [
  hex('30'),
  hex('3000'),
  hex('3080'),
  hex('0000'),
  hex('308200'),
  hex('0400'),
  hex('2480'),
  hex('0a0101'),
  hex('0603'),
  hex('06062b0601050502'),
  hex('060a2b06010401823702020a'),
  hex('06092a864886f712010202'),
  hex('1800'),
  hex('1f8100'),
  hex('a000'),
  hex('a100'),
  hex('a200'),
  hex('a300'),
  hex('60'),
  hex('09 01'),
  hex('a0030a0101'),
];
/** A self-signed certificate with the least in it: ecdsa-with-SHA256, and RSASSA-PSS with SHA-384. */
const ECDSA = hex('3012 3000 300a 06082a8648ce3d040302 0302 0000');
const PSS = hex(
  '302e 3000 3026 06092a864886f70d01010a 3019 a017 3015 0609608648016503040202 0500 a103020130 a103020130 0302 0000',
);

export const SPNEGO_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'spnego-der',
    sources: ['src/spnego/der'],
    maxBytes: MAX_BYTES,
    seeds: [hex('a1073005a0030a0101'), hex('3003020101'), hex('0603550403'), ECDSA, PSS],
    dictionary: DER_WORDS,
    run(input) {
      const value = acceptedBy(MALFORMED, () => parseDer(input, 'token'));
      if (value !== undefined) {
        const { depth, count } = sizeOf(value);
        assert.ok(depth <= 13 && count <= 2001, `${count} values, ${depth} deep`);
      }
    },
  },
  {
    name: 'spnego-token',
    sources: ['src/spnego/neg-token', 'src/spnego/der', 'src/spnego/write-token'],
    maxBytes: MAX_BYTES,
    seeds: [...CAPTURED_SPNEGO, hex('a1073005a0030a0101'), hex('a10c300aa0030a0103a3030401ff')],
    dictionary: DER_WORDS,
    run(input) {
      const token = acceptedBy(MALFORMED, () => parseSpnegoToken(input));
      if (token === undefined) {
        return;
      }
      assertBounded(token, { depth: 2, items: 2010, size: 2 * input.length + 2000 * 128 });
      assert.ok(token.kind !== 'init' || token.mechTypes.every(({ length }) => length <= 128));
      assert.ok(token.kind !== 'resp' || (token.supportedMech?.length ?? 0) <= 128);
      const { kind, ...fields } = token;
      const names = token.kind === 'init' ? token.mechTypes : [token.supportedMech ?? ''];
      if (names.some((name) => name.split('.').some((arc) => Number(arc) > 2 ** 48))) {
        // What we write are identifiers of our own, none with such numbers.
        return;
      }
      if (token.kind === 'init') {
        const written = formatNegTokenInit(token);
        assert.deepEqual(
          acceptedBy(['CHALLENGE_TOO_LARGE'], () => parseNegTokenInit(written)) ?? fields,
          fields,
        );
      } else {
        const written = formatNegTokenResp(token);
        assert.deepEqual(
          acceptedBy(['CHALLENGE_TOO_LARGE'], () => parseNegTokenResp(written)) ?? fields,
          fields,
        );
      }
      assert.equal(
        acceptedBy(MALFORMED, () => parseNegTokenInit(input)) !== undefined,
        kind === 'init',
      );
      assert.equal(
        acceptedBy(MALFORMED, () => parseNegTokenResp(input)) !== undefined,
        kind === 'resp',
      );
    },
  },
  {
    name: 'auth-tls-server-end-point',
    sources: ['src/auth/tls-server-end-point', 'src/spnego/der'],
    maxBytes: MAX_BYTES,
    seeds: [ECDSA, PSS],
    dictionary: [...DER_WORDS, hex('06082a8648ce3d0403'), hex('06092a864886f70d0101')],
    run(input) {
      const bytes = tlsServerEndPoint(input);
      assert.ok(bytes === null || [28, 32, 48, 64].includes(bytes.length - 21));
    },
  },
  {
    name: 'native-ntlm-guard',
    sources: ['src/native/ntlm-guard'],
    maxBytes: MAX_BYTES,
    seeds: capturedNtlm(2),
    dictionary: ['NTLMSSP\0', hex('02000000'), hex('05820700')],
    run(input) {
      acceptedBy(MALFORMED, () => checkNtlmChallenge(input));
    },
  },
];

function sizeOf(value: AsnType): { depth: number; count: number } {
  return childrenOf(value)
    .map(sizeOf)
    .reduce(
      (sum, { depth, count }) => ({
        depth: Math.max(sum.depth, depth + 1),
        count: sum.count + count,
      }),
      { depth: 1, count: 1 },
    );
}
