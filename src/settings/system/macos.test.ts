import { describe, expect, it } from 'vitest';
import { parseMacosProxy, readMacosProxy } from './macos.ts';

const dictionary = (lines: readonly string[]): string =>
  ['<dictionary> {', ...lines.map((line) => `  ${line}`), '}', ''].join('\n');

const MANUAL = [
  'ExceptionsList : <array> {',
  '  0 : *.local',
  '  1 : 169.254/16',
  '}',
  'ExcludeSimpleHostnames : 1',
  'FTPPassive : 1',
  'HTTPEnable : 1',
  'HTTPPort : 3128',
  'HTTPProxy : proxy.corp.example',
  'HTTPSEnable : 1',
  'HTTPSPort : 3129',
  'HTTPSProxy : ::1',
];

describe('parseMacosProxy()', () => {
  it('reads a manual proxy and its exceptions', () => {
    expect(parseMacosProxy(dictionary(MANUAL))).toEqual({
      name: 'macOS settings',
      httpProxy: 'proxy.corp.example:3128',
      httpsProxy: '[::1]:3129',
      bypass: ['*.local', '169.254/16'],
      bypassDialect: 'patterns',
      bypassLocal: true,
      autoDetect: false,
    });
  });

  it('passes by what is switched off, and what belongs to other networks', () => {
    const lines = MANUAL.map((line) => line.replace(/Enable : 1/, 'Enable : 0'));
    const scoped = ['__SCOPED__ : <dictionary> {', '  en0 : <dictionary> {', ...MANUAL, '  }', '}'];
    expect(parseMacosProxy(dictionary([...lines, ...scoped]))).toBeNull();
  });

  it('reads a PAC file, automatic detection and a SOCKS proxy', () => {
    const pac = ['ProxyAutoConfigEnable : 1', 'ProxyAutoConfigURLString : http://wpad/p.pac'];
    expect(parseMacosProxy(dictionary(pac))?.pacUrl).toBe('http://wpad/p.pac');
    expect(parseMacosProxy(dictionary(['ProxyAutoDiscoveryEnable : 1']))?.autoDetect).toBe(true);
    const socks = ['SOCKSEnable : 1', 'SOCKSPort : 1080', 'SOCKSProxy : socks.example'];
    expect(parseMacosProxy(dictionary(socks))?.problem).toContain('SOCKS');
  });

  it.each(['', '<dictionary> {\n}\n', 'No such key\n', '}}}{{{'])('is null for %j', (output) => {
    expect(parseMacosProxy(output)).toBeNull();
  });
});

describe('readMacosProxy()', () => {
  it('asks scutil by its absolute path, and tells when it does not answer', async () => {
    const asked: unknown[] = [];
    const found = await readMacosProxy(
      {},
      async (...call) => {
        asked.push(call);
        return { problem: 'scutil did not answer in time' };
      },
      7,
    );
    expect(asked).toEqual([['/usr/sbin/scutil', ['--proxy'], {}, 7]]);
    expect(found).toEqual({ name: 'macOS settings', problem: 'scutil did not answer in time' });
  });
});
