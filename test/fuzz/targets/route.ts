// The parsers of `src/route`, and of the addresses and names that go with it.
import assert from 'node:assert/strict';
import { parseIdentity } from '../../../src/auth/credentials.ts';
import { isSallyportError } from '../../../src/errors/sallyport-error.ts';
import { Secret } from '../../../src/observe/secret.ts';
import { normalizeHost, parsePort } from '../../../src/route/host.ts';
import { findBypass, parseBypassList } from '../../../src/route/no-proxy.ts';
import { parseProxyUrl } from '../../../src/route/proxy-url.ts';
import { formatProxyUrl } from '../../../src/route/route.ts';
import { findSystemBypass } from '../../../src/route/system-bypass.ts';
import { parseTarget, parseUrl, targetName, targetOf } from '../../../src/upstream/target.ts';
import { acceptedBy } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';

/** A variable of Linux has 128 KiB at most; a value of the configuration file can be longer, but for its reader. */
const MAX_BYTES = 128 * 1024;
/** Of a bypass list: each entry takes some 10 µs. */
const MAX_LIST_BYTES = 32 * 1024;
const HOST_WORDS = [
  '*.',
  '*',
  '.',
  '[::1]',
  '::ffff:10.0.0.1',
  '10.0.0.0/8',
  '169.254/16',
  'fe80::1%eth0',
  ':8080',
  'xn--',
  '\u00fc',
  '\u3002',
  '%41',
  'http://',
  'https://',
  'localhost',
  '127.1',
  '0x7f.1',
];

export const ROUTE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'route-proxy-url',
    sources: ['src/route/proxy-url', 'src/route/host'],
    maxBytes: MAX_BYTES,
    seeds: [
      'http://proxy.corp.example:3128/',
      'https://CORP%5calice:p@ss/w:rd@[2001:db8::1]:8080',
      'proxy',
      'http://:@proxy',
      'socks5://proxy:1080',
    ],
    dictionary: [...HOST_WORDS, '@', ':', '%5c', '%', '/?#', 'socks5://'],
    run(input) {
      const text = input.toString('utf8');
      const proxy = refusingQuietly(text);
      if (proxy === undefined) {
        return;
      }
      assert.equal(normalizeHost(proxy.host), proxy.host);
      assert.equal(parsePort(String(proxy.port)), proxy.port);
      const { scheme, host, port } = proxy;
      assert.deepEqual(parseProxyUrl(formatProxyUrl(proxy), 'test'), { scheme, host, port });
    },
  },
  {
    name: 'route-host',
    sources: ['src/route/host'],
    maxBytes: MAX_BYTES,
    seeds: ['Proxy.Corp.Example.', '2001:DB8::1', '10.0.0.1', 'b\u00fccher.example', '010.0.0.1'],
    dictionary: HOST_WORDS,
    run(input) {
      const host = normalizeHost(input.toString('utf8'));
      if (host !== undefined) {
        assert.equal(normalizeHost(host), host);
        assert.ok(host.length <= 255, `a host of ${host.length} characters`);
      }
    },
  },
  {
    name: 'route-bypass-list',
    sources: ['src/route/no-proxy', 'src/route/host', 'src/settings/word-list'],
    maxBytes: MAX_LIST_BYTES,
    seeds: [
      '.corp.example, 10.0.0.0/8 [::1]:8080\nhost.corp.example\n443',
      '* localhost:80 ::ffff:10.0.0.0/104\n10.1.2.3\n80',
      '*.example,host.example:443\nhost.example\n443',
    ],
    dictionary: [...HOST_WORDS, '\n', ','],
    run(input) {
      const [list = '', host = '', port = ''] = input.toString('utf8').split('\n');
      const kept = parseBypassList(list, { kind: 'environment', name: 'NO_PROXY' });
      const strict = acceptedBy(['NO_PROXY_INVALID'], () =>
        parseBypassList(list, { kind: 'option', name: '--no-proxy' }),
      );
      assert.ok(strict === undefined || strict.length === kept.length);
      const found = findBypass(kept, host, parsePort(port) ?? 443);
      assert.ok(found === undefined || list.includes(found.entry));
      // A name covers itself, whatever its spelling.
      for (const rule of kept.slice(0, 20)) {
        if (rule.host.kind === 'domain' && rule.host.itself) {
          assert.ok(findBypass([rule], rule.host.name, rule.port ?? 443) !== undefined);
        }
      }
    },
  },
  {
    name: 'route-system-bypass',
    sources: ['src/route/system-bypass', 'src/route/no-proxy'],
    maxBytes: MAX_LIST_BYTES,
    seeds: [
      '*.corp.example\nhttp://*.x:80\n169.254/16\nhttp://host.corp.example/',
      '<local>\n10.*\n[::1]\nhttps://host/',
      'a*b*c\n.example\nhttp://axbyc:81/',
    ],
    dictionary: [...HOST_WORDS, '\n', '**', '<local>'],
    run(input) {
      const lines = input.toString('utf8').split('\n');
      const address = lines.pop() ?? '';
      const target = URL.canParse(address) ? new URL(address) : new URL('http://host.example/');
      for (const bypassDialect of ['patterns', 'domains'] as const) {
        const settings = { name: 'test', bypass: lines, bypassDialect, bypassLocal: true };
        const found = findSystemBypass(settings, target, 80);
        assert.ok(found === undefined || found === '<local>' || lines.includes(found));
      }
    },
  },
  {
    name: 'upstream-target',
    sources: ['src/upstream/target'],
    maxBytes: MAX_BYTES,
    seeds: ['example.com:443', '[2001:db8::1]:443', 'https://example.com:8443/path?x#y'],
    dictionary: [...HOST_WORDS, ':0', ':65536', ']'],
    run(input) {
      const text = input.toString('utf8');
      const target = acceptedBy(['URL_INVALID'], () => parseTarget(text));
      if (target !== undefined) {
        assert.deepEqual(parseTarget(targetName(target)), target);
      }
      const url = acceptedBy(['URL_INVALID'], () => parseUrl(text));
      if (url !== undefined) {
        const { host, port } = targetOf(url);
        assert.ok(host !== '' && port >= 0 && port <= 65_535);
      }
    },
  },
  {
    name: 'auth-identity',
    sources: ['src/auth/credentials'],
    maxBytes: MAX_BYTES,
    seeds: ['CORP\\alice', 'alice@corp.example', 'alice', 'CORP/alice', 'alice/admin@REALM'],
    dictionary: ['\\', '@', '/', '\0'],
    run(input) {
      const typed = input.toString('utf8');
      const identity = acceptedBy(['CREDENTIALS_INVALID'], () =>
        parseIdentity(typed, new Secret('secret')),
      );
      if (identity !== undefined) {
        const { domain, user } = identity;
        assert.notEqual(user, '');
        assert.equal(domain === '' ? user : `${domain}\\${user}`, typed);
      }
    },
  },
];

/** All that a refusal of a proxy URL may say: nothing in it comes from the value. */
const REFUSALS = new Set<string>();
const MAX_REFUSALS = 12;

function refusingQuietly(text: string) {
  return acceptedBy(['PROXY_URL_INVALID'], () => {
    try {
      return parseProxyUrl(text, 'test');
    } catch (error) {
      if (isSallyportError(error)) {
        REFUSALS.add(JSON.stringify(error));
        assert.ok(REFUSALS.size <= MAX_REFUSALS, `a refusal shows its value: ${error.message}`);
      }
      throw error;
    }
  });
}
