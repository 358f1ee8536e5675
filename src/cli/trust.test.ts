import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { parseTrustedHost } from './trust.ts';

describe('parseTrustedHost()', () => {
  it.each([
    ['proxy.corp.example', 'proxy.corp.example'],
    ['Proxy.Corp.Example.', 'proxy.corp.example'],
    ['proxy.corp.example:3128', 'proxy.corp.example:3128'],
    ['http://Proxy.corp.example:3128/', 'proxy.corp.example:3128'],
    ['https://proxy.corp.example', 'proxy.corp.example:443'],
    ['bücher.example:80', 'xn--bcher-kva.example:80'],
    ['10.0.0.1', '10.0.0.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:3128', '[2001:db8::1]:3128'],
  ])('reads %s as %s', (text, host) => {
    expect(parseTrustedHost(text)).toBe(host);
  });

  it.each([
    '',
    '*.corp.example',
    '.corp.example',
    'proxy.corp.example:0',
    'proxy.corp.example:http',
    'proxy.corp.example:',
    'proxy.corp.example/path',
    'two hosts',
    '10.0.0.0/8',
    'socks5://proxy.corp.example:1080',
    'http://proxy.corp.example/path',
  ])('refuses %j', (text) => {
    expect(failureOf(text)?.outcome).toBe('usage');
  });

  it('does not show what may be a password', () => {
    const failure = failureOf('http://alice:Alice-Secret1@proxy.corp.example');
    expect(failure?.outcome).toBe('usage');
    expect(`${failure?.stack} ${JSON.stringify(failure)}`).not.toContain('Secret1');
  });
});

function failureOf(text: string) {
  try {
    parseTrustedHost(text);
    return null;
  } catch (error) {
    return isSallyportError(error) ? error : null;
  }
}
