import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { findBypass, parseBypassList } from './no-proxy.ts';
import type { RouteSource } from './route.ts';

const OPTION: RouteSource = { kind: 'option', name: '--no-proxy' };
const ENVIRONMENT: RouteSource = { kind: 'environment', name: 'NO_PROXY' };

const isBypassed = (list: string, host: string, port = 443) =>
  findBypass(parseBypassList(list, OPTION), host, port) !== undefined;

describe('findBypass()', () => {
  it.each([
    // names
    ['corp.example', 'corp.example', 443, true],
    ['corp.example', 'www.corp.example', 443, true],
    ['corp.example', 'a.b.corp.example', 443, true],
    ['corp.example', 'notcorp.example', 443, false],
    ['corp.example', 'corp.example.evil.test', 443, false],
    ['corp.example', 'example', 443, false],
    ['.corp.example', 'www.corp.example', 443, true],
    ['.corp.example', 'corp.example', 443, false],
    ['.corp.example', 'notcorp.example', 443, false],
    ['*.corp.example', 'www.corp.example', 443, true],
    ['*.corp.example', 'a.b.corp.example', 443, true],
    ['*.corp.example', 'corp.example', 443, false],
    ['*.corp.example', 'notcorp.example', 443, false],
    ['CORP.Example', 'www.corp.EXAMPLE', 443, true],
    ['corp.example.', 'corp.example', 443, true],
    ['corp.example', 'corp.example.', 443, true],
    ['localhost', 'localhost', 443, true],
    ['b\u00fccher.example', 'xn--bcher-kva.example', 443, true],
    ['my_host', 'my_host', 443, true],
    // ports
    ['corp.example:8443', 'corp.example', 8443, true],
    ['corp.example:8443', 'www.corp.example', 8443, true],
    ['corp.example:8443', 'corp.example', 443, false],
    ['.corp.example:443', 'www.corp.example', 443, true],
    ['.corp.example:443', 'www.corp.example', 80, false],
    ['10.0.0.1:8080', '10.0.0.1', 8080, true],
    ['10.0.0.1:8080', '10.0.0.1', 80, false],
    ['[::1]:8080', '[::1]', 8080, true],
    ['[::1]:8080', '[::1]', 80, false],
    ['*:8080', 'anything', 8080, true],
    ['*:8080', 'anything', 80, false],
    // addresses
    ['10.0.0.1', '10.0.0.1', 443, true],
    ['10.0.0.1', '10.0.0.10', 443, false],
    ['10.0.0.1', 'x.10.0.0.1', 443, false],
    ['::1', '[::1]', 443, true],
    ['[::1]', '::1', 443, true],
    ['0:0:0:0:0:0:0:1', '[::1]', 443, true],
    ['2001:DB8::1', '[2001:db8:0:0::1]', 443, true],
    ['::1', '[::2]', 443, false],
    ['10.0.0.1', '[::ffff:10.0.0.1]', 443, true],
    ['::ffff:10.0.0.1', '10.0.0.1', 443, true],
    ['::ffff:a00:1', '[::ffff:10.0.0.1]', 443, true],
    ['127.0.0.1', 'localhost', 443, false],
    // networks
    ['10.0.0.0/8', '10.255.255.255', 443, true],
    ['10.0.0.0/8', '11.0.0.0', 443, false],
    ['10.1.2.3/8', '10.200.0.1', 443, true],
    ['192.168.1.0/25', '192.168.1.127', 443, true],
    ['192.168.1.0/25', '192.168.1.128', 443, false],
    ['10.0.0.1/32', '10.0.0.1', 443, true],
    ['10.0.0.1/32', '10.0.0.2', 443, false],
    ['0.0.0.0/0', '203.0.113.9', 443, true],
    ['0.0.0.0/0', '[::2]', 443, false],
    ['0.0.0.0/0', 'corp.example', 443, false],
    ['10.0.0.0/8', '10.corp.example', 443, false],
    ['10.0.0.0/8', '[::ffff:10.9.9.9]', 443, true],
    ['fd00::/8', '[fd12:3456::1]', 443, true],
    ['fd00::/8', '[fe80::1]', 443, false],
    ['2001:db8::/33', '[2001:db8:8000::1]', 443, false],
    ['::/0', '[2001:db8::1]', 443, true],
    ['::/0', '10.0.0.1', 443, false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', 443, true],
    ['::ffff:10.0.0.0/104', '11.0.0.1', 443, false],
    // lists
    ['*', 'anything.at.all', 1, true],
    ['*', '[::1]', 1, true],
    ['a.test,b.test', 'b.test', 443, true],
    ['a.test b.test', 'b.test', 443, true],
    ['a.test , \t b.test,,', 'b.test', 443, true],
    ['a.test,*', 'b.test', 443, true],
    ['', 'a.test', 443, false],
    [' ,, ', 'a.test', 443, false],
  ])('list %j, target %s port %i: %s', (list, host, port, expected) => {
    expect(isBypassed(list, host, port)).toBe(expected);
  });

  it('gives the first entry that covers the target, as it was written', () => {
    const rules = parseBypassList('other.test, WWW.Corp.Example:443 .corp.example *', OPTION);
    expect(findBypass(rules, 'www.corp.example', 443)?.entry).toBe('WWW.Corp.Example:443');
    expect(findBypass(rules, 'www.corp.example', 80)?.entry).toBe('.corp.example');
    expect(findBypass(rules, '203.0.113.9', 80)?.entry).toBe('*');
  });

  it('compares IPv4 addresses as numbers for every prefix length', { timeout: 20_000 }, () => {
    const number = fc.integer({ min: 0, max: 0xffff_ffff });
    const dotted = (value: number) =>
      [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
    fc.assert(
      fc.property(
        number,
        fc.integer({ min: 0, max: 32 }),
        fc.integer({ min: 0, max: 32 }),
        (network, prefix, flipped) => {
          const target = flipped === 32 ? network : (network ^ (1 << (31 - flipped))) >>> 0;
          expect(isBypassed(`${dotted(network)}/${prefix}`, dotted(target))).toBe(
            flipped >= prefix,
          );
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

const MALFORMED = [
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/x',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '2001:db8::/129',
  '::ffff:10.0.0.0/90',
  'corp.example/8',
  'corp.example:0',
  'corp.example:65536',
  'corp.example:',
  'corp.example:http',
  '[::1',
  '[::1]:x',
  '[corp.example]',
  '[10.0.0.1]',
  '10.*',
  'www.*.example',
  '*corp.example',
  '**',
  '<local>',
  '1.2.3.256',
  '10.0.0.1-10.0.0.9',
  '.10.0.0.1',
  '.',
  '..corp.example',
  'corp..example',
  'http://corp.example',
];

describe('parseBypassList()', () => {
  it.each(MALFORMED)('refuses %j from an option, naming source and entry', (entry) => {
    expect(() => parseBypassList(`a.test,${entry}`, OPTION)).toThrow(
      expect.objectContaining({
        code: 'NO_PROXY_INVALID',
        message: expect.stringContaining(`--no-proxy has the entry ${JSON.stringify(entry)}`),
      }),
    );
  });

  it.each(MALFORMED)('skips %j from the environment and keeps the others', (entry) => {
    const rules = parseBypassList(`a.test,${entry},b.test`, ENVIRONMENT);
    expect(rules.map((rule) => rule.entry)).toEqual(['a.test', 'b.test']);
  });

  it.each(['sallyport-environment', 'configuration'] as const)('refuses for a %s', (kind) => {
    expect(() => parseBypassList('10.*', { kind, name: 'here' })).toThrow(/here.*10\.\*/);
  });

  it('skips 120,000 colons behind a bracket in no time', { timeout: 500 }, () => {
    expect(parseBypassList(`a.test [${':'.repeat(120_000)}`, ENVIRONMENT)).toHaveLength(1);
  });

  it('does not show an entry when the list has user information', () => {
    expect(() => parseBypassList('http://alice:hid,den@corp.example', OPTION)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hid') }),
    );
  });

  it('gives rules or a refusal without passwords for any text', { timeout: 20_000 }, () => {
    const secret = 'Zq7-hush';
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(',', ' ', '.', '*', ':', '/', '[', ']', '::1', '10.0.0.0', '/8', '/129'),
      fc.constantFrom('corp', '.example', ':443', `u:${secret}@`, `http://u:${secret}@proxy`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        expect(() => findBypass(parseBypassList(text, ENVIRONMENT), text, 443)).not.toThrow();
        try {
          parseBypassList(text, OPTION);
        } catch (error) {
          expect(isSallyportError(error) && error.code).toBe('NO_PROXY_INVALID');
          expect(`${error} ${JSON.stringify(error)}`).not.toContain(secret);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
