import { describe, expect, it } from 'vitest';
import type { SallyportError } from '../errors/sallyport-error.ts';
import type { ProxyEnvironment } from '../settings/environment.ts';
import type { SystemProxy } from '../settings/system-proxy.ts';
import type { RouteInputs } from './resolve-route.ts';
import { mayNeedSystem, resolveRoute, resolveWay } from './resolve-route.ts';
import type { Route } from './route.ts';
import { formatProxyUrl } from './route.ts';

const HTTPS = 'https://www.example.test/';
const HTTP = 'http://www.example.test/';
const PATH = '/home/alice/config.json';

const NAMES = {
  sallyportProxy: 'SALLYPORT_PROXY',
  sallyportNoProxy: 'SALLYPORT_NO_PROXY',
  httpProxy: 'http_proxy',
  httpsProxy: 'HTTPS_PROXY',
  allProxy: 'ALL_PROXY',
  noProxy: 'no_proxy',
} as const;

type Given = Partial<
  Record<keyof typeof NAMES | 'option' | 'noOption' | 'file' | 'noFile', string>
>;

function inputs({ option, noOption, file, noFile, ...variables }: Given): RouteInputs {
  const environment: ProxyEnvironment = Object.fromEntries(
    Object.entries(variables).map(([key, value]) => [
      key,
      { name: NAMES[key as keyof typeof NAMES], value },
    ]),
  );
  return {
    options: { proxy: option, noProxy: noOption },
    environment,
    configuration: { path: PATH, proxy: file, noProxy: noFile },
  };
}

const shown = (route: Route) => {
  const where = route.kind === 'proxy' ? formatProxyUrl(route.proxy) : 'direct';
  const bypass =
    route.kind === 'direct' && route.bypass
      ? ` by ${route.bypass.entry} of ${route.bypass.source.name} (${route.bypass.source.kind})`
      : '';
  return `${where} from ${route.source.name} (${route.source.kind})${bypass}`;
};

const ALL: Given = {
  option: 'option',
  sallyportProxy: 'sallyport',
  file: 'file',
  httpProxy: 'http',
  httpsProxy: 'https',
  allProxy: 'all',
};

describe('resolveRoute()', () => {
  it.each<[string, Given, string]>([
    ['the option first', ALL, 'http://option:80 from --proxy (option)'],
    [
      'then SALLYPORT_PROXY',
      { sallyportProxy: 's', file: 'f', httpsProxy: 'h' },
      'http://s:80 from SALLYPORT_PROXY (sallyport-environment)',
    ],
    [
      'then the configuration file',
      { file: 'f', httpsProxy: 'h', allProxy: 'a' },
      `http://f:80 from ${PATH}: proxy (configuration)`,
    ],
    [
      'then HTTPS_PROXY',
      { httpProxy: 'p', httpsProxy: 'h', allProxy: 'a' },
      'http://h:80 from HTTPS_PROXY (environment)',
    ],
    [
      'then ALL_PROXY',
      { httpProxy: 'p', allProxy: 'a' },
      'http://a:80 from ALL_PROXY (environment)',
    ],
    ['then direct', { httpProxy: 'p' }, 'direct from default (default)'],
    ['direct from the option', { ...ALL, option: 'direct' }, 'direct from --proxy (option)'],
    [
      'direct from SALLYPORT_PROXY',
      { sallyportProxy: 'DIRECT', file: 'f' },
      'direct from SALLYPORT_PROXY (sallyport-environment)',
    ],
    [
      'direct from the file',
      { file: ' direct ', httpsProxy: 'h' },
      `direct from ${PATH}: proxy (configuration)`,
    ],
    [
      'a host of the name direct from HTTPS_PROXY',
      { httpsProxy: 'direct' },
      'http://direct:80 from HTTPS_PROXY (environment)',
    ],
  ])('takes %s', (_, given, expected) => {
    expect(shown(resolveRoute(HTTPS, inputs(given)))).toBe(expected);
  });

  it('takes HTTP_PROXY, then ALL_PROXY, for an http target, never HTTPS_PROXY', () => {
    const route = (given: Given) => shown(resolveRoute(HTTP, inputs(given)));
    expect(route({ httpProxy: 'p', allProxy: 'a' })).toBe(
      'http://p:80 from http_proxy (environment)',
    );
    expect(route({ httpsProxy: 'h', allProxy: 'a' })).toBe(
      'http://a:80 from ALL_PROXY (environment)',
    );
    expect(route({ httpsProxy: 'h' })).toBe('direct from default (default)');
  });

  it.each<[string, Given, string]>([
    [
      'the option over all lists',
      { httpsProxy: 'h', noOption: '.test', sallyportNoProxy: 'a', noFile: 'b', noProxy: 'c' },
      'direct from HTTPS_PROXY (environment) by .test of --no-proxy (option)',
    ],
    [
      'the option to the proxy of the option',
      { option: 'o', noOption: '*' },
      'direct from --proxy (option) by * of --no-proxy (option)',
    ],
    [
      'an empty option, which is a list without entries',
      { httpsProxy: 'h', noOption: '', noProxy: '*' },
      'http://h:80 from HTTPS_PROXY (environment)',
    ],
    [
      'no other list to the proxy of the option',
      { option: 'o', sallyportNoProxy: '*', noFile: '*', noProxy: '*' },
      'http://o:80 from --proxy (option)',
    ],
    [
      'SALLYPORT_NO_PROXY before the file',
      { file: 'f', sallyportNoProxy: '.test', noFile: 'a', noProxy: 'b' },
      `direct from ${PATH}: proxy (configuration) by .test of SALLYPORT_NO_PROXY (sallyport-environment)`,
    ],
    [
      'the file before NO_PROXY',
      { sallyportProxy: 's', noFile: '.test', noProxy: 'b' },
      `direct from SALLYPORT_PROXY (sallyport-environment) by .test of ${PATH}: noProxy (configuration)`,
    ],
    [
      'the file instead of NO_PROXY even when it does not cover the target',
      { httpsProxy: 'h', noFile: 'other.test', noProxy: '*' },
      'http://h:80 from HTTPS_PROXY (environment)',
    ],
    [
      'NO_PROXY last',
      { sallyportProxy: 's', noProxy: '10.*,.test' },
      'direct from SALLYPORT_PROXY (sallyport-environment) by .test of no_proxy (environment)',
    ],
  ])('applies %s', (_, given, expected) => {
    expect(shown(resolveRoute(HTTPS, inputs(given)))).toBe(expected);
  });

  it.each([
    ['https://corp.test/', 'corp.test:443', true],
    ['http://corp.test/', 'corp.test:80', true],
    ['http://corp.test/', 'corp.test:443', false],
    ['https://corp.test:8443/', 'corp.test:8443', true],
    ['https://[::1]/', '::1', true],
    ['http://0x7f.1/', '127.0.0.0/8', true],
  ])('compares %s with the entry %s by host and port', (target, list, expected) => {
    const { kind } = resolveRoute(target, inputs({ allProxy: 'a', noProxy: list }));
    expect(kind === 'direct').toBe(expected);
  });

  describe('with settings of the system', () => {
    const SYSTEM = { name: 'GNOME settings', httpProxy: 'plain:8080', httpsProxy: 'tls:8443' };
    const routeOf = (target: string, given: Given, system: Partial<SystemProxy> = SYSTEM) =>
      resolveRoute(target, { ...inputs(given), system: { name: 'GNOME settings', ...system } });

    it('takes them last, by the scheme of the target', () => {
      expect(shown(routeOf(HTTPS, {}))).toBe('http://tls:8443 from GNOME settings (system)');
      expect(shown(routeOf(HTTP, {}))).toBe('http://plain:8080 from GNOME settings (system)');
      expect(shown(routeOf(HTTP, { httpProxy: 'p' }))).toBe(
        'http://p:80 from http_proxy (environment)',
      );
      expect(shown(routeOf(HTTPS, { httpProxy: 'p' }))).toBe(
        'http://tls:8443 from GNOME settings (system)',
      );
      expect(shown(routeOf(HTTPS, { option: 'direct' }))).toBe('direct from --proxy (option)');
      expect(shown(routeOf(HTTPS, {}, { httpProxy: 'plain:8080' }))).toBe(
        'direct from default (default)',
      );
      expect(shown(resolveRoute(HTTPS, { ...inputs({}), system: null }))).toBe(
        'direct from default (default)',
      );
    });

    it('applies the list of the system beside the one that applies to any proxy', () => {
      const system = { ...SYSTEM, bypass: ['*.test'], bypassDialect: 'patterns' } as const;
      expect(shown(routeOf(HTTPS, {}, system))).toBe(
        'direct from GNOME settings (system) by *.test of GNOME settings (system)',
      );
      expect(shown(routeOf(HTTPS, { noProxy: 'example.test' }, system))).toBe(
        'direct from GNOME settings (system) by example.test of no_proxy (environment)',
      );
      expect(shown(routeOf(HTTPS, { noProxy: 'other.test' }, system))).toContain('by *.test of');
      expect(routeOf(HTTPS, { noOption: '' }, system).kind).toBe('proxy');
      expect(routeOf(HTTPS, { httpsProxy: 'h' }, system).kind).toBe('proxy');
    });

    it.each<[Partial<SystemProxy>, RegExp]>([
      [
        { pacUrl: 'http://alice:hidden@wpad.test/proxy.pac' },
        /^GNOME settings name the PAC file http:\/\/\*\*\*@wpad\.test\/proxy\.pac, which this version does not/,
      ],
      [{ autoDetect: true }, /automatic detection \(WPAD\).*--proxy/],
      [{ problem: 'gsettings did not answer' }, /cannot be used: gsettings did not answer/],
    ])('is direct and says why for %j', (system, expected) => {
      const route = routeOf(HTTPS, {}, system);
      expect(route).toMatchObject({ kind: 'direct', source: { kind: 'system' } });
      expect(route.kind === 'direct' && route.note).toMatch(expected);
    });

    it('prefers a proxy that is named to a PAC file', () => {
      expect(routeOf(HTTPS, {}, { ...SYSTEM, pacUrl: 'http://wpad.test/' }).kind).toBe('proxy');
    });

    it('names the system whose proxy cannot be understood', () => {
      expect(() => routeOf(HTTPS, {}, { httpsProxy: 'proxy:port' })).toThrow(/GNOME settings has/);
    });
  });

  it('works without a configuration file', () => {
    const route = resolveRoute(new URL(HTTPS), { options: {}, environment: {} });
    expect(route).toEqual({ kind: 'direct', source: { kind: 'default', name: 'default' } });
  });

  it('names the source of a proxy URL that cannot be understood', () => {
    expect(() => resolveRoute(HTTPS, inputs({ allProxy: 'socks5://p' }))).toThrow(
      expect.objectContaining({
        code: 'PROXY_URL_INVALID',
        message: expect.stringContaining('ALL_PROXY'),
      }),
    );
    expect(() => resolveRoute(HTTPS, inputs({ option: '' }))).toThrow(/--proxy is empty/);
  });

  it.each([
    '',
    'www.example.test',
    'localhost:8080',
    'https://',
    'ftp://www.example.test/',
    'ws://www.example.test/',
    'file:///etc/passwd',
    'https://www.example.test:99999/',
    'alice:hidden@www.example.test',
    'https://alice:hidden@',
    'https://alice:hid/den@www.example.test/',
  ])('refuses the target %j with URL_INVALID, without showing it', (target) => {
    expect(failureOf(target)).toMatchObject({ code: 'URL_INVALID' });
    expect(JSON.stringify(failureOf(target))).not.toMatch(/hid|alice/);
  });

  it.each(['https://alice:hidden@www.example.test/', 'http://alice@www.example.test/'])(
    'points from the user information of %s to --origin-user',
    (target) => {
      expect(failureOf(target)).toMatchObject({ code: 'URL_INVALID' });
      expect(failureOf(target).hint).toContain('--origin-user');
      expect(JSON.stringify(failureOf(target))).not.toMatch(/hidden|alice/);
    },
  );
});

describe('mayNeedSystem()', () => {
  it.each<[Given, boolean]>([
    [{}, true],
    [{ httpsProxy: 'h' }, true],
    [{ httpProxy: 'h' }, true],
    [{ noOption: 'a', sallyportNoProxy: 'b', noFile: 'c', noProxy: 'd' }, true],
    [{ httpProxy: 'h', httpsProxy: 'h' }, false],
    [{ allProxy: 'a' }, false],
    [{ file: 'f' }, false],
    [{ sallyportProxy: 's' }, false],
    [{ option: 'direct' }, false],
  ])('of %j is %s', (given, expected) => {
    expect(mayNeedSystem(inputs(given))).toBe(expected);
  });
});

function failureOf(target: string): SallyportError {
  try {
    resolveRoute(target, inputs({}));
  } catch (error) {
    return error as SallyportError;
  }
  throw new Error('It was accepted');
}

describe('resolveWay()', () => {
  const environment = { httpsProxy: { name: 'HTTPS_PROXY', value: 'http://proxy.test:3128' } };

  it('is direct where no proxy is named, and where one of ours says so', () => {
    expect(resolveWay('http:', { options: {}, environment })).toEqual({ kind: 'direct' });
    expect(resolveWay('https:', { options: { proxy: 'direct' }, environment })).toEqual({
      kind: 'direct',
    });
  });

  it('has the list that counts', () => {
    const way = resolveWay('https:', {
      options: {},
      environment: {
        ...environment,
        noProxy: { name: 'NO_PROXY', value: 'corp.test,!,10.0.0.0/8' },
      },
    });
    expect(way.kind === 'proxy' && way.bypass.map(({ entry }) => entry)).toEqual([
      'corp.test',
      '10.0.0.0/8',
    ]);
  });

  it('has none of the environment beside --proxy', () => {
    const way = resolveWay('https:', {
      options: { proxy: 'http://proxy.test:1' },
      environment: { noProxy: { name: 'NO_PROXY', value: 'corp.test' } },
    });
    expect(way).toEqual({ kind: 'proxy', bypass: [], bypassLocal: false });
  });

  it.each([
    [{ proxy: 'ftp://x' }, 'PROXY_URL_INVALID'],
    [{ proxy: 'http://x:1', noProxy: 'a b/c' }, 'NO_PROXY_INVALID'],
  ])('refuses %j', (options, code) => {
    expect(() => resolveWay('http:', { options, environment: {} })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
