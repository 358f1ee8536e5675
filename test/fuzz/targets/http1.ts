// The parsers of `src/http1`.
import assert from 'node:assert/strict';
import type { Framing } from '../../../src/http1/body.ts';
import { createBodyDecoder, isPersistent, responseFraming } from '../../../src/http1/body.ts';
import {
  decodeToken68,
  formatCredentials,
  isScheme,
  parseChallenges,
} from '../../../src/http1/challenges.ts';
import { formatRequestHead, parseRequestHead, parseResponseHead } from '../../../src/http1/head.ts';
import { HeadReader, MAX_HEAD_BYTES } from '../../../src/http1/head-reader.ts';
import type { HeaderList } from '../../../src/http1/header-list.ts';
import {
  acceptedBy,
  assertBounded,
  assertSameFromAnyPackets,
  hex,
  outcomeOf,
} from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';

const FIELD_WORDS = [
  ': ',
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r\n ',
  'Content-Length: ',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Proxy-Connection: keep-alive',
  'HTTP/1.1',
  'HTTP/1.0 ',
  '__proto__: x\r\n',
];

/** As `src/http1/challenges.ts` has it, which keeps it to itself. */
const MAX_CHALLENGES = 64;

export const HTTP1_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'http1-challenges',
    sources: ['src/http1/challenges'],
    maxBytes: MAX_HEAD_BYTES,
    seeds: [
      'Negotiate\nNTLM\nBasic realm="x y", charset="UTF-8"',
      'NTLM TlRMTVNTUAACAAAABAAEADgAAAA=, Negotiate oRQwEqADCgEB====',
      'Digest realm="a\\"b", nonce=abc , qop="auth,auth-int", stale=FALSE, Basic realm=x',
    ],
    dictionary: [
      'Negotiate',
      'NTLM ',
      'Basic ',
      'Digest ',
      'realm="',
      'nonce=',
      'qop="auth"',
      '="',
      '\\"',
      ', ',
      '====',
      '__proto__=x',
      '\n',
    ],
    run(input) {
      const lines = input.toString('latin1').split('\n');
      const challenges = parseChallenges(lines);
      assertBounded(challenges, {
        depth: 3,
        items: MAX_CHALLENGES * (4 + 2 * 64),
        size: input.length,
      });
      for (const challenge of challenges) {
        assert.match(challenge.scheme, /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
        assert.ok(isScheme(challenge, challenge.scheme.toUpperCase()));
        assert.ok(challenge.token68 === null || challenge.params.size === 0);
        for (const name of challenge.params.keys()) {
          assert.equal(name, name.toLowerCase());
        }
      }
      assert.ok(challenges.length <= MAX_CHALLENGES);
      // Lines are independent of each other.
      assert.deepEqual(
        challenges,
        lines.flatMap((line) => parseChallenges([line])).slice(0, MAX_CHALLENGES),
      );
    },
  },
  {
    name: 'http1-token68',
    sources: ['src/http1/challenges'],
    maxBytes: 88_001,
    seeds: ['TlRMTVNTUAACAAAA', 'YQ==', 'YWI=', 'YWJj====', 'a', 'a-_'],
    dictionary: ['=', '====', '+', '/', '-', '_', ' '],
    run(input) {
      const token = input.toString('latin1');
      const codes = ['CHALLENGE_INVALID', 'CHALLENGE_TOO_LARGE'] as const;
      const bytes = acceptedBy(codes, () => decodeToken68(token));
      if (bytes === undefined) {
        return;
      }
      assert.ok(bytes.length <= 66_000);
      const [, again = ''] = formatCredentials('NTLM', bytes).split(' ');
      assert.deepEqual(decodeToken68(again), bytes);
    },
  },
  {
    name: 'http1-response-head',
    sources: ['src/http1/head', 'src/http1/header-list', 'src/http1/body'],
    maxBytes: MAX_HEAD_BYTES,
    seeds: [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\n',
      'HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: keep-alive, close\r\n\r\n',
      '\r\n\nHTTP/1.1 304\nContent-Length: 5, 5\nX: a\n b\n\tc\n\n',
      'HTTP/1.1 200 \r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    ],
    dictionary: FIELD_WORDS,
    run(input) {
      const head = acceptedBy(['RESPONSE_INVALID'], () => parseResponseHead(input));
      if (head === undefined) {
        return;
      }
      assert.ok(head.status >= 100 && head.status <= 999);
      assertFields(head.headers, input.length);
      const framing = acceptedBy(['RESPONSE_INVALID'], () => responseFraming(head, 'GET'));
      assert.ok(framing?.kind !== 'length' || Number.isSafeInteger(framing.length));
      assert.equal(responseFraming(head, 'HEAD').kind, 'none');
      assert.ok(
        !isPersistent(head, 'proxy') || isPersistent({ ...head, version: '1.1' }, 'origin'),
      );
    },
  },
  {
    name: 'http1-request-head',
    sources: ['src/http1/head', 'src/http1/header-list'],
    maxBytes: MAX_HEAD_BYTES,
    seeds: [
      'CONNECT host.example:443 HTTP/1.1\r\nHost: host.example:443\r\n\r\n',
      'GET http://host.example/?q=\xe9 HTTP/1.0\nProxy-Authorization: Basic YTpi\n\n',
    ],
    dictionary: [...FIELD_WORDS, 'GET ', 'CONNECT ', 'http://', hex('a0'), hex('c3a0')],
    run(input) {
      const head = acceptedBy(['RESPONSE_INVALID'], () => parseRequestHead(input));
      if (head === undefined) {
        return;
      }
      assertFields(head.headers, input.length);
      // What was read can be written, and says the same then: Latin-1 goes out as UTF-8.
      const { method, target, headers } = head;
      const written = acceptedBy(['HEADER_INVALID'], () =>
        formatRequestHead({ method, target, headers: headers.fields }),
      );
      if (written !== undefined) {
        const again = parseRequestHead(written);
        assert.equal(again.method, method);
        assert.equal(utf8(again.target), target);
        assert.deepEqual(
          again.headers.fields.map(([name, value]) => [name, utf8(value)]),
          headers.fields,
        );
      }
    },
  },
  {
    name: 'http1-head-reader',
    sources: ['src/http1/head-reader'],
    maxBytes: MAX_HEAD_BYTES + 1,
    seeds: [
      'HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody',
      '\r\n\r\nHTTP/1.1 407\nA: b\n\nrest',
      'HTTP/1.1 200\r\n\n',
      'HTTQ',
      '\n\r\r\n',
    ],
    dictionary: ['HTTP/1.1 200 OK', '\r\n\r\n', '\n\n', '\n\r\n', '\r\n', '\r'],
    run(input) {
      assertSameFromAnyPackets(input, (pieces) => readHead(pieces, 'HTTP/'));
      assertSameFromAnyPackets(input, (pieces) => readHead(pieces, ''));
    },
  },
  {
    name: 'http1-body',
    sources: ['src/http1/body'],
    maxBytes: MAX_HEAD_BYTES,
    seeds: [
      'c5\r\nhello\r\n0\r\n\r\nrest',
      'cA;ext="x"\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\n',
      'c1\n\n\n0\n\n',
      'l5 hello and more',
      'l0 x',
      'u until the end',
    ],
    dictionary: [
      'c',
      'l',
      '\r\n',
      '0\r\n\r\n',
      '1\r\na\r\n',
      'fffffffffffff',
      ';',
      '0\r\n',
      'ffff',
    ],
    run(input) {
      const { framing, body } = framedBody(input);
      assertSameFromAnyPackets(body, (pieces) => readBody(framing, pieces));
    },
  },
];

/** A limit that is met, and a first byte that is wrong, are both refused; which comes first depends on the packets. */
function readHead(pieces: readonly Buffer[], start: string): unknown {
  const reader = new HeadReader(start);
  const outcome = outcomeOf(['HEAD_TOO_LARGE', 'RESPONSE_INVALID'], () => {
    for (const [index, piece] of pieces.entries()) {
      const found = reader.push(piece);
      if (found !== null) {
        return [found.head, Buffer.concat([found.rest, ...pieces.slice(index + 1)])];
      }
    }
    return null;
  });
  return 'refused' in outcome ? 'refused' : outcome.value;
}

/** `c` and a chunked body, `l`, a length, a space and a body, or a body that ends with the connection. */
function framedBody(input: Buffer): { framing: Framing; body: Buffer } {
  const kind = input.toString('latin1', 0, 1);
  if (kind === 'c') {
    return { framing: { kind: 'chunked' }, body: input.subarray(1) };
  }
  const length = /^l(\d{1,6}) /.exec(input.toString('latin1', 0, 8));
  return length === null
    ? { framing: { kind: 'until-close' }, body: input }
    : {
        framing: { kind: 'length', length: Number(length[1]) },
        body: input.subarray(length[0].length),
      };
}

/** Of a body that is refused in the end only the refusal counts: how much of it was read before depends on the packets. */
function readBody(framing: Framing, pieces: readonly Buffer[]): unknown {
  const decoder = createBodyDecoder(framing);
  const read: Buffer[] = [];
  const outcome = outcomeOf(['RESPONSE_INVALID'], () => {
    for (const [index, piece] of pieces.entries()) {
      const { data, done, rest } = decoder.decode(piece);
      read.push(...data);
      if (done) {
        return Buffer.concat([rest, ...pieces.slice(index + 1)]);
      }
      assert.equal(rest.length, 0);
    }
    return null;
  });
  if ('refused' in outcome) {
    return 'refused';
  }
  const body = Buffer.concat(read);
  const bytesIn = pieces.reduce((sum, { length }) => sum + length, 0);
  assert.ok(body.length + (outcome.value?.length ?? 0) <= bytesIn);
  return { body, rest: outcome.value, mayEndHere: decoder.mayEndHere };
}

function assertFields(headers: HeaderList, bytes: number): void {
  assertBounded(headers.fields, { depth: 2, items: 3 * bytes, size: bytes });
  for (const [, value] of headers.fields) {
    assert.doesNotMatch(value, /[\0\r\n]/);
  }
  // Each look-up goes through the list.
  for (const [name, value] of headers.fields.slice(0, 20)) {
    assert.ok(headers.all(name).includes(value));
    assert.equal(headers.all(name)[0], headers.first(name));
  }
  assert.equal(headers.toRaw().length, 2 * headers.fields.length);
  assert.equal(
    Object.keys(headers.toObject()).length,
    new Set(headers.fields.map(([name]) => name.toLowerCase())).size,
  );
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
