import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { formatRequestHead, parseRequestHead, parseResponseHead } from './head.ts';
import { HeadReader, MAX_HEAD_BYTES } from './head-reader.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('parseResponseHead()', () => {
  it('reads status, reason and fields in order and spelling', () => {
    const head = parseResponseHead(
      bytes(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\nproxy-authenticate:Negotiate \r\nVia: a\r\n\r\n',
      ),
    );
    expect(head).toMatchObject({
      version: '1.1',
      status: 407,
      reason: 'Proxy Authentication Required',
    });
    expect(head.headers.all('Proxy-Authenticate')).toEqual(['NTLM', 'Negotiate']);
    expect(head.headers.first('VIA')).toBe('a');
    expect(head.headers.toObject()).toEqual({ 'proxy-authenticate': 'NTLM, Negotiate', via: 'a' });
    expect(head.headers.toRaw().slice(0, 2)).toEqual(['Proxy-Authenticate', 'NTLM']);
  });

  it.each([
    ['no reason phrase', 'HTTP/1.1 200\r\n\r\n', { status: 200, reason: '' }],
    [
      'an empty reason phrase',
      'HTTP/1.0 200 \r\n\r\n',
      { status: 200, reason: '', version: '1.0' },
    ],
    ['bare line feeds', 'HTTP/1.1 200 OK\nA: b\n\n', { status: 200, reason: 'OK' }],
    ['empty lines in front', '\r\n\r\nHTTP/1.1 204 No\r\n\r\n', { status: 204 }],
    ['a later minor version', 'HTTP/1.9 200 OK\r\n\r\n', { version: '1.1' }],
  ])('accepts %s', (_claim, text, wanted) => {
    expect(parseResponseHead(bytes(text))).toMatchObject(wanted);
  });

  it('joins a folded line with a space', () => {
    const head = parseResponseHead(bytes('HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\r\n'));
    expect(head.headers.first('a')).toBe('b c');
  });

  it('joins many folded lines, and passes by many empty ones, in no time', { timeout: 500 }, () => {
    const folded = parseResponseHead(bytes(`HTTP/1.1 200 OK\nA: b\n${' c\n'.repeat(20_000)}\n`));
    expect(folded.headers.first('a')).toBe(`b${' c'.repeat(20_000)}`);
    expect(parseResponseHead(bytes(`${'\n'.repeat(60_000)}HTTP/1.1 204\n\n`)).status).toBe(204);
  });

  it('cuts spaces and tabs from a value, and no letter that ends with 0xA0', () => {
    const head = parseResponseHead(
      Buffer.from(
        'HTTP/1.1 302 Found\r\nLocation: \t /voil\u00e0 \t\r\nVia: \u000bx\r\n\r\n',
        'utf8',
      ),
    );
    expect(Buffer.from(head.headers.first('location') ?? '', 'latin1').toString()).toBe(
      '/voil\u00e0',
    );
    expect(head.headers.first('via')).toBe('\u000bx');
    expect(head.headers.tokens('via')).toEqual(['\u000bx']);
  });

  it.each([
    ['HTTP/2 200\r\n\r\n'],
    ['SSH-2.0-x\r\n\r\n'],
    ['HTTP/1.1 20 OK\r\n\r\n'],
    ['HTTP/1.1 099 OK\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nA : b\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nA: b\rc: d\r\n\r\n'],
  ])('refuses %j', (text) => {
    expect(() => parseResponseHead(bytes(text))).toThrow(
      expect.objectContaining({ code: 'RESPONSE_INVALID' }),
    );
  });
});

describe('formatRequestHead()', () => {
  const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/);
  const value = fc.stringMatching(/^[!-~]([ !-~]{0,30}[!-~])?$/);
  const target = fc.stringMatching(/^[!-~]{1,60}$/);

  it('is undone by parseRequestHead()', { timeout: 20_000 }, () => {
    fc.assert(
      fc.property(
        token,
        target,
        fc.array(fc.tuple(token, value), { maxLength: 8 }),
        (method, to, headers) => {
          const parsed = parseRequestHead(formatRequestHead({ method, target: to, headers }));
          expect(parsed).toMatchObject({ method, target: to, version: '1.1' });
          expect(parsed.headers.fields).toEqual(headers);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it.each([
    { method: 'GET', target: '/a b', headers: [] },
    { method: 'GET', target: '/\r\nX: y', headers: [] },
    { method: 'G T', target: '/', headers: [] },
    { method: 'GET', target: '', headers: [] },
    { method: 'GET', target: '/', headers: [['A', 'b\r\nC: d']] as const },
    { method: 'GET', target: '/', headers: [['A', 'b\0']] as const },
    { method: 'GET', target: '/', headers: [['A b', 'c']] as const },
  ])('refuses %j', (request) => {
    expect(() => formatRequestHead(request)).toThrow(
      expect.objectContaining({ code: 'HEADER_INVALID' }),
    );
  });
});

describe('the head parsers', () => {
  it('give a value or a named error on arbitrary bytes', { timeout: 20_000 }, () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
      fc.constantFrom('HTTP/1.1 200 OK', '\r\n', '\n', ': ', 'GET / HTTP/1.1', 'A').map(bytes),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const input = Buffer.concat(pieces);
        for (const parse of [
          parseResponseHead,
          parseRequestHead,
          (all: Buffer) => new HeadReader('HTTP/').push(all),
        ]) {
          try {
            parse(input);
          } catch (error) {
            expect(isSallyportError(error)).toBe(true);
          }
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('HeadReader', () => {
  const head = 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n';

  it('finds the same end however the bytes are cut', { timeout: 20_000 }, () => {
    const all = bytes(`\r\n${head}tunnel bytes`);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (sizes) => {
        const reader = new HeadReader('HTTP/');
        let at = 0;
        let turn = 0;
        let found = null;
        while (found === null) {
          const size = sizes[turn % sizes.length] ?? 1;
          found = reader.push(all.subarray(at, at + size));
          at += size;
          turn += 1;
        }
        expect(found.head.toString()).toBe(`\r\n${head}`);
        expect(Buffer.concat([found.rest, all.subarray(at)]).toString()).toBe('tunnel bytes');
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not count empty lines in front anew with each byte', { timeout: 1_500 }, () => {
    const reader = new HeadReader('HTTP/');
    for (let left = 60_000; left > 0; left -= 1) {
      reader.push(bytes('\n'));
    }
    expect(reader.push(bytes(head))?.head).toHaveLength(60_000 + head.length);
  });

  it('tells garbage by its first byte', () => {
    expect(() => new HeadReader('HTTP/').push(bytes('S'))).toThrow(
      expect.objectContaining({ code: 'RESPONSE_INVALID' }),
    );
  });

  it('refuses a head over 64 KiB, dripped or at once', () => {
    const large = bytes(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(MAX_HEAD_BYTES)}`);
    const tooLarge = expect.objectContaining({ code: 'HEAD_TOO_LARGE' });
    expect(() => new HeadReader().push(large)).toThrow(tooLarge);
    expect(() => new HeadReader().push(Buffer.concat([large, bytes('\r\n\r\n')]))).toThrow(
      tooLarge,
    );
    const reader = new HeadReader();
    expect(() => {
      for (let at = 0; at < large.length; at += 7) {
        reader.push(large.subarray(at, at + 7));
      }
    }).toThrow(tooLarge);
  });
});
