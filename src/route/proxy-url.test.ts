import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SallyportError } from '../errors/sallyport-error.ts';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { Secret } from '../observe/secret.ts';
import { parseProxyUrl } from './proxy-url.ts';
import type { ProxyAddress } from './route.ts';
import { formatProxyUrl } from './route.ts';

const read = (text: string) => parseProxyUrl(text, 'HTTPS_PROXY');
const plain = ({ password, ...rest }: ProxyAddress) => ({
  ...rest,
  ...(password === undefined ? {} : { password: password.reveal() }),
});
const failureOf = (text: string): SallyportError => {
  try {
    read(text);
  } catch (error) {
    if (isSallyportError(error)) {
      return error;
    }
    throw error;
  }
  throw new Error('It was accepted');
};

describe('parseProxyUrl()', () => {
  it.each([
    ['http://proxy.corp:8080', 'http', 'proxy.corp', 8080],
    ['HTTP://Proxy.CORP:8080/', 'http', 'proxy.corp', 8080],
    ['http://proxy', 'http', 'proxy', 80],
    ['https://proxy', 'https', 'proxy', 443],
    ['https://proxy:3129', 'https', 'proxy', 3129],
    ['proxy.corp:3128', 'http', 'proxy.corp', 3128],
    ['proxy', 'http', 'proxy', 80],
    ['proxy.corp.:3128', 'http', 'proxy.corp', 3128],
    ['my_proxy:1', 'http', 'my_proxy', 1],
    ['proxy:65535', 'http', 'proxy', 65535],
    ['10.0.0.1:8080', 'http', '10.0.0.1', 8080],
    ['http://[::1]:8080', 'http', '::1', 8080],
    ['[2001:DB8:0::1]', 'http', '2001:db8::1', 80],
    ['http://b\u00fccher.example', 'http', 'xn--bcher-kva.example', 80],
    ['  http://proxy:8080 \r\n', 'http', 'proxy', 8080],
    ['http://:@proxy', 'http', 'proxy', 80],
    ['http://@proxy', 'http', 'proxy', 80],
    [`${'a.'.repeat(126)}b`, 'http', `${'a.'.repeat(126)}b`, 80],
  ])('reads %j', (text, scheme, host, port) => {
    expect(read(text)).toStrictEqual({ scheme, host, port });
  });

  it.each([
    ['http://alice@proxy', 'alice', undefined],
    ['http://alice:@proxy', 'alice', ''],
    ['http://:pw@proxy', '', 'pw'],
    ['http://alice:pw@proxy/', 'alice', 'pw'],
    ['alice:pw@proxy', 'alice', 'pw'],
    ['http://CORP\\alice:pw@proxy', 'CORP\\alice', 'pw'],
    ['http://CORP%5Calice:pw@proxy', 'CORP\\alice', 'pw'],
    ['http://alice@corp.example:p@ss@proxy', 'alice@corp.example', 'p@ss'],
    ['http://alice:a/b:c\\d?e#f@proxy', 'alice', 'a/b:c\\d?e#f'],
    ['http://alice:http://x@proxy', 'alice', 'http://x'],
    ['http://alice:100%25@proxy', 'alice', '100%'],
    ['http://alice:%2541@proxy', 'alice', '%41'],
    ['http://alice:%C3%A9\u00e9@proxy', 'alice', '\u00e9\u00e9'],
  ])('splits the user information of %j', (text, user, password) => {
    expect(plain(read(text))).toEqual({
      scheme: 'http',
      host: 'proxy',
      port: 80,
      user,
      ...(password === undefined ? {} : { password }),
    });
  });

  it.each([
    ['', 'is empty'],
    [' \t', 'is empty'],
    ['http://', 'has no host'],
    ['http://:8080', 'has no host'],
    ['http://alice:hidden@', 'has no host'],
    ['http://alice:hidden@:8080', 'has no host'],
    ['http://proxy:', 'port'],
    ['http://proxy:0', 'port'],
    ['http://proxy:65536', 'port'],
    ['http://proxy:80a', 'port'],
    ['http://proxy:-1', 'port'],
    ['http://proxy:008080', 'port'],
    ['http://alice:hidden', 'port'],
    ['ftp://proxy', 'scheme'],
    ['http://proxy/proxy.pac', 'path'],
    ['http://proxy?hidden', 'path'],
    ['http://proxy#hidden', 'path'],
    ['http://proxy//', 'path'],
    ['http:proxy', 'port'],
    ['http://pro xy', 'space'],
    ['http://alice:hid den@proxy', 'space'],
    ['http://pro\r\nxy', 'control character'],
    ['http://alice:hid\u0000den@proxy', 'control character'],
    ['http://pro\u0085xy', 'control character'],
    ['http://::1', 'host'],
    ['http://[::1', 'host'],
    ['http://[::1]x', 'host'],
    ['http://[proxy]', 'host'],
    ['http://[10.0.0.1]', 'host'],
    ['http://[fe80::1%25eth0]', 'host'],
    ['http://[fe80::1%eth0]', 'host'],
    ['http://010.0.0.1', 'host'],
    ['http://0x7f.1', 'host'],
    ['http://1.2.3.256', 'host'],
    ['http://a..b', 'host'],
    [`http://${'a.'.repeat(128)}`, 'host'],
    ['http://.', 'host'],
    ['http://%61', 'host'],
    ['http://a|b', 'host'],
    ['http://a;b', 'host'],
    ['http://alice:hid%den@proxy', '%'],
    ['http://alice:hidden%@proxy', '%'],
    ['http://alice:hidden%E9@proxy', '%'],
  ])('refuses %j with the source and the fault, without the value', (text, fault) => {
    const error = failureOf(text);
    expect(error).toMatchObject({ code: 'PROXY_URL_INVALID' });
    expect(error.message).toContain('HTTPS_PROXY');
    expect(error.message).toContain(fault);
    expect(JSON.stringify(error)).not.toContain('hid');
  });

  it.each(['socks://p', 'socks4://p', 'socks5://u:pw@p:1080', 'SOCKS5H://p'])(
    'says that only HTTP proxies are signed on to when given %s',
    (text) => {
      expect(failureOf(text).message).toContain('SOCKS');
      expect(failureOf(text).hint).toContain('HTTP proxies only');
    },
  );

  it('refuses a name of 40,000 different letters in no time', { timeout: 500 }, () => {
    const letters = Array.from(
      { length: 40_000 },
      (_, index) => 0x4e00 + ((index * 7919) % 20_000),
    );
    expect(failureOf(letters.map((code) => String.fromCodePoint(code)).join(''))).toMatchObject({
      code: 'PROXY_URL_INVALID',
    });
  });

  it('says how to write a per cent sign when one starts no escape', () => {
    expect(failureOf('http://alice:100%@proxy').hint).toContain('%25');
  });

  it('gives back what a formatted proxy was', { timeout: 20_000 }, () => {
    const name = fc
      .domain()
      .map((domain) => domain.toLowerCase())
      .filter((domain) => !domain.includes('xn--'));
    const ipv6 = fc.ipV6().map((address) => new URL(`http://[${address}]`).hostname.slice(1, -1));
    const typed = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(
        fc.constantFrom('http' as const, 'https' as const),
        fc.oneof(name, fc.ipV4(), ipv6),
        fc.integer({ min: 1, max: 65_535 }),
        typed,
        typed,
        (scheme, host, port, user, password) => {
          const bare: ProxyAddress = { scheme, host, port };
          expect(read(formatProxyUrl(bare))).toStrictEqual(bare);
          const named = user + password === '' ? bare : { ...bare, user, password };
          const [before, after] = formatProxyUrl(bare).split('://');
          const userInformation = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
          expect(plain(read(`${before}://${userInformation}@${after}`))).toStrictEqual(named);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('gives a proxy or a refusal without the password for any text', { timeout: 20_000 }, () => {
    const secret = 'Zq7-hush';
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('http://', 'socks5://', '@', ':', '/', '[', ']', '%', '%2', ' ', '\n', '::1'),
      fc.constantFrom('proxy', '8080', '0', '..', `u:${secret}@`, `u:${secret}`, secret),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          const { host, port } = read(pieces.join(''));
          expect(host).not.toBe('');
          expect(port > 0 && port < 65_536).toBe(true);
        } catch (error) {
          expect(isSallyportError(error) && error.code).toBe('PROXY_URL_INVALID');
          expect(`${error} ${JSON.stringify(error)}`).not.toContain(secret);
          expect(String((error as Error).cause)).not.toContain(secret);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('formatProxyUrl()', () => {
  it('leaves the user information out', () => {
    const proxy = read('https://alice:pw@proxy');
    expect(formatProxyUrl(proxy)).toBe('https://proxy:443');
    expect(JSON.stringify(proxy)).not.toContain('pw');
    expect(proxy.password).toBeInstanceOf(Secret);
  });

  it('puts an IPv6 address into brackets', () => {
    expect(formatProxyUrl({ scheme: 'http', host: '::1', port: 1 })).toBe('http://[::1]:1');
  });
});
