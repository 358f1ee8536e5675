// The file as an evaluator runs it, held against the routes of the engine.
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteInputs } from '../route/resolve-route.ts';
import { resolveRoute, resolveWay } from '../route/resolve-route.ts';
import { pacFile } from './pac-file.ts';

const HERE = 'PROXY 127.0.0.1:3128';

/** As Chrome, Firefox and WinHTTP have it: a global function of two strings. */
function evaluate(inputs: RouteInputs, host = '127.0.0.1:3128'): (url: string) => string {
  const ways = { http: resolveWay('http:', inputs), https: resolveWay('https:', inputs) };
  const context = createContext({});
  runInContext(pacFile(host, ways), context);
  return (url) => {
    const name = new URL(url).hostname;
    return runInContext(
      `FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(name)})`,
      context,
    ) as string;
  };
}

const by = (noProxy: string): RouteInputs => ({
  options: { proxy: 'http://proxy.test:3128', noProxy },
  environment: {},
});

const ENTRIES = [
  ...[
    'corp.test',
    '.corp.test',
    '*.corp.test',
    'www.corp.test',
    'intra',
    'intra:8080',
    '*',
    'corp.test:443',
  ],
  ...['10.0.0.0/8', '10.1.2.3', '192.168.0.0/17', '172.16.0.0/12', '0.0.0.0/0', '10.1.2.3/31'],
  ...['fd00::/8', '2001:db8::1', '[2001:db8::2]:8443', '::/0', '::ffff:10.0.0.0/104', 'fe80::/10'],
];
const HOSTS = [
  ...[
    'corp.test',
    'www.corp.test',
    'a.www.corp.test',
    'notcorp.test',
    'corp.test.evil.test',
    'intra',
    'intra.test',
    'example.com',
  ],
  ...[
    '10.1.2.3',
    '10.1.2.2',
    '10.255.0.1',
    '11.0.0.1',
    '192.168.127.255',
    '192.168.128.0',
    '172.31.255.255',
    '172.32.0.0',
  ],
  ...[
    '[fd00::1]',
    '[fdff::1]',
    '[fe00::1]',
    '[2001:db8::1]',
    '[2001:db8::2]',
    '[::ffff:10.1.2.3]',
    '[febf::1]',
    '[fec0::1]',
  ],
];

describe('pacFile()', { timeout: 15_000 }, () => {
  it('says of every host what the route says', () => {
    const lists = fc
      .array(fc.constantFrom(...ENTRIES), { maxLength: 4 })
      .map((list) => list.join(','));
    const urls = fc
      .tuple(
        fc.constantFrom('http', 'https'),
        fc.constantFrom(...HOSTS),
        fc.constantFrom('', ':8080', ':8443', ':443', ':80'),
        fc.constantFrom('/', '/a:1?b=@c:2', '?x', '/#y'),
      )
      .map(([scheme, host, port, path]) => `${scheme}://${host}${port}${path}`);
    fc.assert(
      fc.property(lists, fc.array(urls, { minLength: 5, maxLength: 20 }), (list, some) => {
        const find = evaluate(by(list));
        for (const url of some) {
          const { kind } = resolveRoute(url, by(list));
          expect([list, url, find(url)]).toEqual([list, url, kind === 'proxy' ? HERE : 'DIRECT']);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves loopback and what is direct as a whole alone', () => {
    const find = evaluate(by(''));
    for (const host of [
      'localhost',
      'a.localhost',
      'LOCALHOST',
      '127.0.0.1',
      '127.9.9.9',
      '[::1]',
    ]) {
      expect(find(`http://${host}:8080/`)).toBe('DIRECT');
    }
    const direct = evaluate({ options: { proxy: 'direct' }, environment: {} });
    expect(direct('https://example.com/')).toBe('DIRECT');
  });

  it('knows http from https, and their sockets', () => {
    const find = evaluate({
      options: {},
      environment: { httpsProxy: { name: 'HTTPS_PROXY', value: 'http://proxy.test:1' } },
    });
    expect(find('https://example.com/')).toBe(HERE);
    expect(find('wss://example.com/')).toBe(HERE);
    expect(find('http://example.com/')).toBe('DIRECT');
    expect(find('ws://example.com/')).toBe('DIRECT');
  });

  it('has the lists of operating systems in it', () => {
    const find = evaluate({
      options: {},
      environment: {},
      system: {
        name: 'Windows settings',
        httpProxy: 'proxy.test:1',
        httpsProxy: 'proxy.test:1',
        bypass: ['10.*', 'https://*.secure.test', 'a*b.test'],
        bypassDialect: 'patterns',
        bypassLocal: true,
      },
    });
    expect(find('http://intra/')).toBe('DIRECT');
    expect(find('http://10.1.1.1/')).toBe('DIRECT');
    expect(find('http://axxb.test/')).toBe('DIRECT');
    expect(find('http://axxc.test/')).toBe(HERE);
    expect(find('https://www.secure.test/')).toBe('DIRECT');
    expect(find('http://www.secure.test/')).toBe(HERE);
  });

  it('names the address it was asked by', () => {
    expect(evaluate(by(''), '[::1]:3128')('http://a.test/')).toBe('PROXY [::1]:3128');
    expect(evaluate(by(''), '172.17.0.1')('http://a.test/')).toBe('PROXY 172.17.0.1:80');
  });

  it('is script of 1999, and no markup', () => {
    const ways = { http: resolveWay('http:', by('*')), https: resolveWay('https:', by('*')) };
    const text = pacFile('127.0.0.1:3128', ways);
    expect(text).not.toMatch(/=>|\bconst\b|\blet\b|`|<\//);
  });
});
