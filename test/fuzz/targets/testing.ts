// The parsers of the embedded proxy, `src/testing`.
import assert from 'node:assert/strict';
import { requestFraming } from '../../../src/http1/body.ts';
import { parseRequestHead } from '../../../src/http1/head.ts';
import { verifyBasic } from '../../../src/testing/acceptors/basic.ts';
import { DigestAuthority } from '../../../src/testing/acceptors/digest.ts';
import { NegotiateAcceptor } from '../../../src/testing/acceptors/negotiate-acceptor.ts';
import { NtlmAcceptor } from '../../../src/testing/acceptors/ntlm-acceptor.ts';
import {
  readAuthenticate,
  readAvPairs,
  readChallenge,
  readNegotiateFlags,
} from '../../../src/testing/acceptors/ntlm-messages.ts';
import { verifyAuthenticate } from '../../../src/testing/acceptors/ntlm-verify.ts';
import {
  readNegTokenInit,
  readNegTokenResp,
} from '../../../src/testing/acceptors/spnego-tokens.ts';
import { Accounts } from '../../../src/testing/accounts.ts';
import { readDer, readDerList, writeDer } from '../../../src/testing/der.ts';
import { ConnectionSignOn } from '../../../src/testing/sign-on.ts';
import { parseAuthority } from '../../../src/testing/tunnel.ts';
import { acceptedBy, assertBounded, hex, partsOf } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { CAPTURED_SPNEGO, CAPTURED_TOKENS, capturedNtlm } from './captured.ts';

const MAX_BYTES = 66_048;
const ACCOUNTS = await Accounts.of([
  { name: 'alice', domain: 'CORP', password: 'Alice-Secret1' },
  { name: 'bob', password: 'b', upn: 'bob@corp.example' },
]);
const EXPECTED = {
  accounts: ACCOUNTS,
  strict: true,
  spns: ['HTTP/proxy'],
  channelBinding: null,
  requireChannelBinding: false,
};
const LENIENT = { ...EXPECTED, strict: false };
/** Between the tokens of one connection. */

const NEXT_BYTES = Buffer.from('\xff\xfenext\xff', 'latin1');
const WORDS = [
  'NTLMSSP\0',
  hex('01000000'),
  hex('02000000'),
  hex('03000000'),
  NEXT_BYTES,
  hex('0000'),
];
const [NEGOTIATE = Buffer.alloc(0)] = capturedNtlm(1);
const [CHALLENGE = Buffer.alloc(0)] = capturedNtlm(2);
const [AUTHENTICATE = Buffer.alloc(0)] = capturedNtlm(3);

export const TESTING_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'testing-der',
    sources: ['src/testing/der', 'src/testing/acceptors/spnego-tokens'],
    maxBytes: MAX_BYTES,
    seeds: CAPTURED_SPNEGO,
    dictionary: [
      hex('30'),
      hex('3080'),
      hex('0000'),
      hex('0400'),
      hex('a000'),
      hex('1f81'),
      hex('8300'),
    ],
    run(input) {
      const element = readDer(input);
      assert.ok(element === null || element.encoded.length <= input.length);
      const list = readDerList(input);
      if (list !== null) {
        assert.ok(list.length <= 64);
        assert.deepEqual(Buffer.concat(list.map(({ encoded }) => encoded)), input);
        const wrapped = writeDer(0x30, input);
        assert.deepEqual(readDer(wrapped)?.content, input);
      }
      assertBounded(readNegTokenInit(input), { depth: 2, items: 80, size: 3 * input.length });
      assertBounded(readNegTokenResp(input), { depth: 1, items: 2, size: 2 * input.length });
    },
  },
  {
    name: 'testing-ntlm',
    sources: ['src/testing/acceptors/ntlm-messages', 'src/testing/acceptors/ntlm-verify'],
    maxBytes: MAX_BYTES,
    seeds: [NEGOTIATE, CHALLENGE, ...capturedNtlm(3)],
    dictionary: WORDS,
    run(input) {
      readNegotiateFlags(input);
      assertBounded(readAvPairs(input), { depth: 2, items: 3 * 64, size: input.length });
      assertBounded(readChallenge(input), { depth: 3, items: 3 * 64 + 2, size: input.length + 8 });
      assertBounded(readAuthenticate(input), { depth: 1, items: 7, size: 6 * input.length });
      for (const expected of [EXPECTED, LENIENT]) {
        const exchange = { negotiate: NEGOTIATE, challenge: CHALLENGE, authenticate: input };
        const verdict = verifyAuthenticate(exchange, expected);
        const isCaptured = capturedNtlm(3).some((message) => message.equals(input));
        assert.ok(!verdict.accepted || expected === LENIENT || isCaptured);
        verifyAuthenticate({ ...exchange, challenge: input, authenticate: AUTHENTICATE }, expected);
      }
    },
  },
  {
    name: 'testing-acceptors',
    sources: ['src/testing/acceptors/negotiate-acceptor', 'src/testing/acceptors/ntlm-acceptor'],
    maxBytes: MAX_BYTES,
    seeds: [
      Buffer.concat([NEGOTIATE, NEXT_BYTES, AUTHENTICATE]),
      Buffer.concat(CAPTURED_SPNEGO.slice(0, 4).flatMap((token) => [token, NEXT_BYTES])),
      ...CAPTURED_TOKENS.slice(0, 6),
    ],
    dictionary: WORDS,
    run(input) {
      const forms = { raw: true, wrapped: true };
      for (const acceptor of [
        new NtlmAcceptor(EXPECTED),
        new NegotiateAcceptor(LENIENT, forms),
        new NegotiateAcceptor(EXPECTED, { ...forms, requestMic: true }),
      ]) {
        for (const token of partsOf(input, NEXT_BYTES)) {
          // Fresh random challenges: nobody signs on by chance.
          assert.notEqual(acceptor.step(token).kind, 'accepted');
        }
      }
    },
  },
  {
    name: 'testing-sign-on',
    sources: ['src/testing/sign-on', 'src/testing/acceptors/basic', 'src/testing/accounts'],
    maxBytes: MAX_BYTES,
    seeds: [
      'Basic YWxpY2U6QWxpY2UtU2VjcmV0MQ==',
      `NTLM ${NEGOTIATE.toString('base64')}\nNTLM ${AUTHENTICATE.toString('base64')}`,
      'Negotiate YIIB\n\nBasic Qk9COmI=',
    ],
    dictionary: ['Basic ', 'NTLM ', 'Negotiate ', '=', '\n', 'TlRMTVNTUAAB'],
    run(input) {
      const signOn = new ConnectionSignOn({
        ...LENIENT,
        schemes: ['Negotiate', 'NTLM', 'Digest', 'Basic'],
        digest: new DigestAuthority({}, ACCOUNTS),
        negotiate: { raw: true, wrapped: true },
      });
      for (const line of input.toString('latin1').split('\n')) {
        const decision = signOn.decide(line === '' ? [] : [line], {
          method: 'GET',
          target: '/',
        });
        assert.ok(decision.kind !== 'pass' || decision.user !== null);
        assert.doesNotMatch(decision.header ?? '', /[\0\r\n]/);
      }
      const { reason, user } = verifyBasic(input, ACCOUNTS);
      assert.ok(reason !== null || user !== null);
    },
  },
  {
    name: 'testing-request',
    sources: ['src/testing/client-request', 'src/testing/tunnel'],
    maxBytes: MAX_BYTES,
    seeds: [
      'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n',
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'CONNECT [::1]:443 HTTP/1.1\r\n\r\n',
      'CONNECT host.example:443 HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n',
    ],
    dictionary: [
      'CONNECT ',
      'Content-Length: ',
      'Transfer-Encoding: chunked',
      '\r\n',
      ':443',
      '[',
      ']',
    ],
    run(input) {
      const head = acceptedBy(['RESPONSE_INVALID'], () => parseRequestHead(input));
      if (head === undefined) {
        return;
      }
      const framing = acceptedBy(['RESPONSE_INVALID'], () => requestFraming(head));
      assert.ok(framing?.kind !== 'length' || Number.isSafeInteger(framing.length));
      // A message with both is how requests are smuggled.
      const hasBoth = ['transfer-encoding', 'content-length'].every((name) =>
        head.headers.first(name),
      );
      assert.ok(!hasBoth || framing === undefined || head.method === 'CONNECT');
      const authority = parseAuthority(head.target);
      assert.ok(authority === null || (authority.port >= 1 && authority.port <= 65_535));
    },
  },
];
