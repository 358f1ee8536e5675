import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { Framing } from './body.ts';
import { createBodyDecoder, isPersistent, responseFraming } from './body.ts';
import { parseResponseHead } from './head.ts';

const headOf = (lines: string) => parseResponseHead(Buffer.from(`HTTP/1.1 ${lines}\r\n\r\n`));

function decodeAll(framing: Framing, packets: readonly Buffer[]) {
  const decoder = createBodyDecoder(framing);
  const data: Buffer[] = [];
  const rest: Buffer[] = [];
  let done = false;
  for (const packet of packets) {
    if (done) {
      rest.push(packet);
      continue;
    }
    const decoded = decoder.decode(packet);
    data.push(...decoded.data);
    rest.push(decoded.rest);
    done = decoded.done;
  }
  return {
    text: Buffer.concat(data).toString(),
    rest: Buffer.concat(rest).toString(),
    done,
    decoder,
  };
}

describe('responseFraming()', () => {
  it.each([
    ['GET', '200 OK\r\nContent-Length: 5', { kind: 'length', length: 5 }],
    ['GET', '200 OK\r\nContent-Length: 5\r\nContent-Length: 5', { kind: 'length', length: 5 }],
    ['GET', '200 OK\r\nTransfer-Encoding: chunked', { kind: 'chunked' }],
    ['GET', '200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 5', { kind: 'chunked' }],
    ['GET', '200 OK\r\nTransfer-Encoding: gzip', { kind: 'until-close' }],
    ['GET', '200 OK', { kind: 'until-close' }],
    ['HEAD', '200 OK\r\nContent-Length: 5', { kind: 'none' }],
    ['CONNECT', '200 OK\r\nContent-Length: 5', { kind: 'none' }],
    ['CONNECT', '407 No\r\nContent-Length: 5', { kind: 'length', length: 5 }],
    ['GET', '204 No\r\nContent-Length: 5', { kind: 'none' }],
    ['GET', '304 No', { kind: 'none' }],
    ['GET', '100 Continue', { kind: 'none' }],
  ])('%s with %j is %j', (method, lines, wanted) => {
    expect(responseFraming(headOf(lines), method)).toEqual(wanted);
  });

  it.each(['5, 6', '-1', '0x5', '5.0', '9'.repeat(16)])('refuses Content-Length %s', (length) => {
    expect(() => responseFraming(headOf(`200 OK\r\nContent-Length: ${length}`), 'GET')).toThrow(
      expect.objectContaining({ code: 'RESPONSE_INVALID' }),
    );
  });
});

describe('isPersistent()', () => {
  it.each([
    ['HTTP/1.1 200 OK', 'proxy', true],
    ['HTTP/1.1 200 OK\r\nConnection: Close', 'proxy', false],
    ['HTTP/1.1 200 OK\r\nProxy-Connection: close', 'proxy', false],
    ['HTTP/1.1 200 OK\r\nProxy-Connection: close', 'origin', true],
    ['HTTP/1.0 200 OK', 'proxy', false],
    ['HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive', 'proxy', true],
    ['HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive', 'origin', true],
  ] as const)('%j from a %s: %s', (text, peer, wanted) => {
    expect(isPersistent(parseResponseHead(Buffer.from(`${text}\r\n\r\n`)), peer)).toBe(wanted);
  });
});

describe('createBodyDecoder()', () => {
  const wire = '4;ext=1\r\nWiki\r\n5 \r\npedia\r\n0\r\nTrailer: x\r\n\r\nnext';

  it('decodes chunks with extensions and trailers however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
        const packets: Buffer[] = [];
        for (let at = 0, turn = 0; at < wire.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          packets.push(Buffer.from(wire.slice(at, at + size)));
          at += size;
        }
        const { text, rest, done, decoder } = decodeAll({ kind: 'chunked' }, packets);
        expect({ text, rest, done, ends: decoder.mayEndHere }).toEqual({
          text: 'Wikipedia',
          rest: 'next',
          done: true,
          ends: true,
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('counts a body by its length and leaves what follows', () => {
    const { text, rest, done } = decodeAll({ kind: 'length', length: 5 }, [
      Buffer.from('abc'),
      Buffer.from('defg'),
    ]);
    expect({ text, rest, done }).toEqual({ text: 'abcde', rest: 'fg', done: true });
  });

  it('knows whether the end of the connection is the end of the body', () => {
    expect(createBodyDecoder({ kind: 'until-close' }).mayEndHere).toBe(true);
    expect(createBodyDecoder({ kind: 'none' }).mayEndHere).toBe(true);
    expect(createBodyDecoder({ kind: 'length', length: 1 }).mayEndHere).toBe(false);
    const chunked = createBodyDecoder({ kind: 'chunked' });
    chunked.decode(Buffer.from('4\r\nWi'));
    expect(chunked.mayEndHere).toBe(false);
  });

  it.each([
    'zz\r\n',
    '\r\n',
    `${'1'.repeat(14)}\r\n`,
    '1\r\nab\r\n',
    `1;${'x'.repeat(5000)}`,
    `0\r\n${'A: b\r\n'.repeat(20_000)}`,
  ])('refuses the chunked body %.20j', (text) => {
    expect(() => decodeAll({ kind: 'chunked' }, [Buffer.from(text)])).toThrow(
      expect.objectContaining({ code: 'RESPONSE_INVALID' }),
    );
  });

  it('gives data or a named error on arbitrary chunked bytes', { timeout: 20_000 }, () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 9 }),
      fc.constantFrom('1\r\n', '0\r\n', '\r\n', 'a').map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        try {
          decodeAll(
            { kind: 'chunked' },
            pieces.map((one) => Buffer.from(one)),
          );
        } catch (error) {
          expect(isSallyportError(error)).toBe(true);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
