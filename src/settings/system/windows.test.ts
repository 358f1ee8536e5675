import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../errors/sallyport-error.ts';
import type { WindowsProxySettings } from '../../native/winhttp.ts';
import type { WindowsSources } from './windows.ts';
import { parseProxyOverride, parseProxyServer, readWindowsProxy } from './windows.ts';

const found = (settings: Partial<WindowsProxySettings>): WindowsProxySettings => ({
  autoDetect: false,
  pacUrl: undefined,
  proxy: undefined,
  bypass: undefined,
  ...settings,
});

const sources = (given: Partial<WindowsSources> = {}): WindowsSources => ({
  readNumber: () => undefined,
  readText: () => undefined,
  readUser: () => undefined,
  readMachine: () => undefined,
  ...given,
});

describe('readWindowsProxy()', () => {
  it('takes the settings of the user', () => {
    const user = found({ proxy: 'proxy:3128', bypass: '*.corp.example;<local>' });
    expect(
      readWindowsProxy(
        sources({ readUser: () => user, readMachine: () => found({ proxy: 'm:1' }) }),
      ),
    ).toEqual({
      name: 'Windows settings',
      httpProxy: 'proxy:3128',
      httpsProxy: 'proxy:3128',
      bypass: ['*.corp.example'],
      bypassDialect: 'patterns',
      bypassLocal: true,
      autoDetect: false,
    });
  });

  it('takes those of WinHTTP where the user has none, or automatic detection only', () => {
    const readMachine = () => found({ proxy: 'machine:3128' });
    for (const user of [undefined, found({}), found({ autoDetect: true })]) {
      expect(readWindowsProxy(sources({ readUser: () => user, readMachine }))).toMatchObject({
        name: 'WinHTTP settings',
        httpProxy: 'machine:3128',
      });
    }
  });

  it('keeps a PAC file of the user, and automatic detection where there is nothing else', () => {
    const pac = found({ pacUrl: 'http://wpad/wpad.dat' });
    const readMachine = () => found({ proxy: 'machine:3128' });
    expect(readWindowsProxy(sources({ readUser: () => pac, readMachine }))).toMatchObject({
      name: 'Windows settings',
      pacUrl: 'http://wpad/wpad.dat',
    });
    const auto = found({ autoDetect: true });
    expect(readWindowsProxy(sources({ readUser: () => auto }))).toMatchObject({ autoDetect: true });
  });

  it('takes the values of the machine, and no others, where policy says so', () => {
    const texts: Record<string, string> = {
      ProxyServer: 'http=p:1;https=p:2',
      ProxyOverride: '10.*',
    };
    const policy = (enabled: number) =>
      sources({
        readNumber: (key, name) => {
          if (name === 'ProxySettingsPerUser') {
            return key.startsWith('Software\\Policies\\') ? 0 : undefined;
          }
          return name === 'ProxyEnable' ? enabled : undefined;
        },
        readText: (_key, name) => texts[name],
        readUser: () => found({ proxy: 'user:3128' }),
      });
    expect(readWindowsProxy(policy(1))).toMatchObject({
      name: 'Windows policy settings',
      httpProxy: 'p:1',
      httpsProxy: 'p:2',
      bypass: ['10.*'],
    });
    expect(readWindowsProxy(policy(0))).toBeNull();
  });

  it('is null where nothing is set, and tells a SOCKS proxy', () => {
    expect(readWindowsProxy(sources())).toBeNull();
    const socks = found({ proxy: 'socks=s:1080' });
    expect(readWindowsProxy(sources({ readUser: () => socks }))).toMatchObject({
      problem: expect.stringContaining('SOCKS'),
    });
  });

  it('tells what keeps it from reading', () => {
    const readUser = () => {
      throw new SallyportError('SIGN_ON_UNAVAILABLE', 'koffi is missing');
    };
    expect(readWindowsProxy(sources({ readUser }))).toEqual({
      name: 'Windows settings',
      problem: 'koffi is missing',
    });
  });
});

describe('parseProxyServer()', () => {
  it.each([
    ['proxy:3128', 'proxy:3128', 'proxy:3128'],
    ['http=a:1;https=b:2;ftp=c:3', 'a:1', 'b:2'],
    ['HTTP=a:1 https=http://b:2', 'a:1', 'http://b:2'],
    ['http=a:1', 'a:1', undefined],
    ['https=b:2;all:9', 'all:9', 'b:2'],
    ['http=;;', undefined, undefined],
    ['', undefined, undefined],
  ])('reads %j', (text, httpProxy, httpsProxy) => {
    expect(parseProxyServer(text)).toEqual({ httpProxy, httpsProxy, socksOnly: false });
  });
});

describe('parseProxyOverride()', () => {
  it('splits at semicolons and blanks, and sets words in angle brackets apart', () => {
    expect(parseProxyOverride('a; *.b ;<-loopback>;<LOCAL>')).toEqual({
      bypass: ['a', '*.b'],
      bypassLocal: true,
    });
    expect(parseProxyOverride('')).toEqual({ bypass: [], bypassLocal: false });
  });
});
