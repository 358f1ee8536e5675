// The parsers of `src/ntlm`.
import assert from 'node:assert/strict';
import { answerTargetInfo } from '../../../src/ntlm/answer-target-info.ts';
import {
  formatAuthenticateMessage,
  parseAuthenticateMessage,
} from '../../../src/ntlm/authenticate-message.ts';
import { findAvValue, formatAvPairs, parseAvPairs } from '../../../src/ntlm/av-pairs.ts';
import {
  formatChallengeMessage,
  parseChallengeMessage,
} from '../../../src/ntlm/challenge-message.ts';
import {
  formatNegotiateMessage,
  parseNegotiateMessage,
} from '../../../src/ntlm/negotiate-message.ts';
import { carriesNtlm } from '../../../src/ntlm/ntlm-message.ts';
import { acceptedBy, assertBounded, hex } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { capturedNtlm } from './captured.ts';

const MALFORMED = ['CHALLENGE_INVALID', 'CHALLENGE_TOO_LARGE'] as const;
const SHARED_SOURCES = ['src/ntlm/ntlm-message', 'src/ntlm/payload-field', 'src/ntlm/text'];
/** A little more than a token can have. */
const MAX_BYTES = 66_048;
const WORDS = [
  'NTLMSSP\0',
  hex('01000000'),
  hex('02000000'),
  hex('03000000'),
  hex('05820000'),
  hex('0682 8900'),
  hex('0700 0800'),
  hex('0600 0400 0200 0000'),
  hex('0900 0000'),
  hex('0a00 1000'),
  hex('0000 0000'),
];

export const NTLM_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'ntlm-challenge',
    sources: [
      'src/ntlm/challenge-message',
      'src/ntlm/av-pairs',
      'src/ntlm/answer-target-info',
      ...SHARED_SOURCES,
    ],
    maxBytes: MAX_BYTES,
    seeds: capturedNtlm(2),
    dictionary: WORDS,
    run(input) {
      const challenge = acceptedBy(MALFORMED, () => parseChallengeMessage(input));
      if (challenge === undefined) {
        return;
      }
      assert.ok(carriesNtlm(challenge.raw));
      assert.deepEqual(challenge.raw, new Uint8Array(input));
      assertBounded(challenge, { depth: 3, items: 200, size: 4 * input.length });
      const own = { spn: 'HTTP/proxy.example', channelBinding: new Uint8Array(16) };
      const answer = answerTargetInfo(challenge, own);
      assert.ok(answer.length <= (challenge.targetInfo?.length ?? 0) + 3);
      // What is repeated and what is added can be more than a list, or a message, may hold.
      const again = acceptedBy(MALFORMED, () => parseAvPairs(formatAvPairs(answer)));
      assert.deepEqual(again ?? answer, answer);
      // A name beyond ASCII has no form where the server takes no Unicode.
      const written = acceptedBy(['CREDENTIALS_INVALID', 'CHALLENGE_TOO_LARGE'], () =>
        formatChallengeMessage(challenge),
      );
      const read =
        written && acceptedBy(['CHALLENGE_TOO_LARGE'], () => parseChallengeMessage(written));
      if (read !== undefined) {
        assert.deepEqual({ ...read, raw: null }, { ...challenge, raw: null });
      }
    },
  },
  {
    name: 'ntlm-av-pairs',
    sources: ['src/ntlm/av-pairs'],
    maxBytes: 65_535,
    seeds: [
      hex('0200 0800 43004f0052005000 0700 0800 2288cf3f4b7bdd01 0000 0000'),
      hex('0600 0400 02000000 0100 0000'),
    ],
    dictionary: WORDS,
    run(input) {
      const pairs = acceptedBy(MALFORMED, () => parseAvPairs(input));
      if (pairs === undefined) {
        return;
      }
      assertBounded(pairs, { depth: 2, items: 3 * 64, size: input.length });
      assert.deepEqual(parseAvPairs(formatAvPairs(pairs)), pairs);
      for (const { id } of pairs) {
        assert.ok(findAvValue(pairs, id) !== undefined);
      }
    },
  },
  {
    name: 'ntlm-authenticate',
    sources: [
      'src/ntlm/authenticate-message',
      'src/ntlm/ntlmv2-response',
      'src/ntlm/av-pairs',
      ...SHARED_SOURCES,
    ],
    maxBytes: MAX_BYTES,
    seeds: capturedNtlm(3),
    dictionary: WORDS,
    run(input) {
      const message = acceptedBy(MALFORMED, () => parseAuthenticateMessage(input));
      if (message === undefined) {
        return;
      }
      assertBounded(message, { depth: 1, items: 8, size: 6 * input.length + 16 });
      const written = acceptedBy(['CREDENTIALS_INVALID', 'CHALLENGE_TOO_LARGE'], () =>
        formatAuthenticateMessage(message),
      );
      const again =
        written && acceptedBy(['CHALLENGE_TOO_LARGE'], () => parseAuthenticateMessage(written));
      if (again !== undefined) {
        // Ours has room for a MIC where the one that was read may have none.
        assert.deepEqual({ ...again, mic: message.mic }, message);
      }
    },
  },
  {
    name: 'ntlm-negotiate',
    sources: ['src/ntlm/negotiate-message', ...SHARED_SOURCES],
    maxBytes: MAX_BYTES,
    seeds: [...capturedNtlm(1), formatNegotiateMessage({ sign: true })],
    dictionary: WORDS,
    run(input) {
      const message = acceptedBy(MALFORMED, () => parseNegotiateMessage(input));
      if (message !== undefined) {
        assertBounded(message, { depth: 1, items: 4, size: 2 * input.length + 8 });
        assert.ok(message.version === null || message.version.length === 8);
      }
    },
  },
];
