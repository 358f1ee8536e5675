// The parsers of `src/settings`, and of the memory of logons.
import assert from 'node:assert/strict';
import {
  formatDocument,
  parseDocument,
  withRecord,
} from '../../../src/auth/logons/logon-record.ts';
import { parseConfiguration } from '../../../src/settings/config-file.ts';
import { readEnvironment } from '../../../src/settings/environment.ts';
import { findJsonFault } from '../../../src/settings/json-fault.ts';
import { findPlaces } from '../../../src/settings/json-places.ts';
import { parseNames } from '../../../src/settings/name-file.ts';
import { splitCertificates } from '../../../src/settings/pem.ts';
import { parseGnomeProxy } from '../../../src/settings/system/gnome.ts';
import { parseMacosProxy } from '../../../src/settings/system/macos.ts';
import type { SystemProxy } from '../../../src/settings/system/proxy-settings.ts';
import { parseProxyOverride, parseProxyServer } from '../../../src/settings/system/windows.ts';
import { parseWordList } from '../../../src/settings/word-list.ts';
import { acceptedBy, assertBounded } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const JSON_WORDS = [
  '{"',
  '":',
  '"',
  ',',
  '[',
  ']',
  '}',
  'null',
  'true',
  '1e999',
  '\\u0000',
  '\\ud800',
  '"__proto__":{"polluted":1},',
  '"constructor":',
  '\ufeff',
];

export const SETTINGS_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'settings-config',
    sources: [
      'src/settings/config-file',
      'src/settings/config-fields',
      'src/settings/serve-configuration',
      'src/settings/json-fault',
    ],
    maxBytes: MIB + 1,
    seeds: [
      '{"proxy": "http://proxy:8080", "auth": ["negotiate"], "allowBasicHttp": true}',
      '{"trusted": "a.test, b.test", "noProxy": "a\\nb", "ca": "ca.pem", "systemCa": false}',
      '{"user": "CORP\\alice"}',
      '{"password": "x"}',
      '{"serve": {"listen": "3128", "warm": 4, "allow": ["10.0.0.0/8"], "logLevel": "debug", "grace": 1}}',
    ],
    dictionary: [
      ...JSON_WORDS,
      '"proxy":',
      '"auth":',
      '"user":',
      '"ca":',
      '"noAuth":[]',
      '"serve":{',
      '"grace":',
    ],
    run(input) {
      const read = acceptedBy(['CONFIG_INVALID'], () => parseConfiguration('/etc/c.json', input));
      if (read !== undefined) {
        assertBounded(read, { depth: 3, items: 40 + input.length, size: input.length + 64 });
      }
    },
  },
  {
    name: 'settings-json-fault',
    sources: ['src/settings/json-fault', 'src/settings/json-places'],
    maxBytes: MIB,
    seeds: ['{"a": [1, -2.5e3, "x\\u0041", true, null, {}]}', '[1,]', '{"a" 1}', '"\\x"', '01'],
    dictionary: JSON_WORDS,
    run(input) {
      const text = input.toString('utf8');
      const fault = findJsonFault(text);
      assert.equal(fault === undefined, isJson(text));
      if (fault !== undefined) {
        const line = text.split('\n')[fault.line - 1];
        assert.ok(line !== undefined && fault.column >= 1 && fault.column <= line.length + 1);
        return;
      }
      for (const { line, column } of findPlaces(text).places.values()) {
        assert.equal(text.split('\n')[line - 1]?.[column - 1], '"');
      }
    },
  },
  {
    name: 'settings-environment',
    sources: ['src/settings/environment'],
    maxBytes: 128 * KIB,
    seeds: [
      'HTTPS_PROXY=http://proxy:8080\nno_proxy=.corp.example\nSALLYPORT_AUTH=ntlm, basic',
      'REQUEST_METHOD=GET\nHTTP_PROXY=x\nSALLYPORT_SYSTEM_CA=0\nSALLYPORT_ALLOW_NTLM=yes',
    ],
    dictionary: ['SALLYPORT_', 'HTTP_PROXY=', 'http_proxy=', '\n', '=true', '=0', '__proto__=x'],
    run(input) {
      const lines = input.toString('utf8').split('\n');
      const env = Object.fromEntries(lines.map((line) => line.split('=', 2)));
      const read = acceptedBy(['OPTION_INVALID'], () => readEnvironment(env));
      if (read !== undefined) {
        assertBounded(read, { depth: 3, items: 40 + input.length, size: 2 * input.length + 200 });
      }
    },
  },
  {
    name: 'settings-word-list',
    sources: ['src/settings/word-list'],
    maxBytes: MIB,
    seeds: ['negotiate, ntlm', ' a\tb\n,,c '],
    dictionary: [',', ' ', '\u2003', '\t'],
    run(input) {
      const words = parseWordList(input.toString('utf8'));
      assert.ok(words.every((word) => /^[^\s,]+$/.test(word)));
      assert.deepEqual(parseWordList(words.join(', ')), words);
    },
  },
  {
    name: 'settings-pem',
    sources: ['src/settings/pem'],
    maxBytes: MIB,
    seeds: ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    dictionary: ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '-', '\n'],
    run(input) {
      const text = input.toString('latin1');
      const found = splitCertificates(text);
      assert.ok(found.join('').length <= text.length);
      assert.deepEqual(splitCertificates(found.join('\n')), found);
    },
  },
  {
    name: 'settings-names',
    sources: ['src/settings/name-file'],
    maxBytes: 64 * KIB,
    seeds: ['["proxy.corp.example", "proxy:8080"]\n', '\ufeff[]', '{"0": "a"}', '["a b"]'],
    dictionary: [...JSON_WORDS, '"proxy"'],
    run(input) {
      const names = parseNames(input.toString('utf8'));
      if (names !== undefined) {
        assertBounded(names, { depth: 1, items: input.length, size: input.length });
        assert.deepEqual(parseNames(JSON.stringify(names)), names);
      }
    },
  },
  {
    name: 'settings-gnome',
    sources: ['src/settings/system/gnome'],
    maxBytes: MIB,
    seeds: [
      [
        "org.gnome.system.proxy mode 'manual'",
        "org.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', \"it's\"]",
        "org.gnome.system.proxy.http host 'proxy'",
        'org.gnome.system.proxy.http port 3128',
        "org.gnome.system.proxy.https host '::1'",
      ].join('\n'),
      "org.gnome.system.proxy mode 'auto'\norg.gnome.system.proxy autoconfig-url 'http://a/\\u0041'",
      "org.gnome.system.proxy mode 'manual'\norg.gnome.system.proxy.socks host '\\U0010ffff'",
    ],
    dictionary: [
      'org.gnome.system.proxy',
      '.https host ',
      "'",
      '"',
      '\\',
      '\\u',
      '\\U',
      '@as []',
      '\n',
    ],
    run(input) {
      assertSystemProxy(parseGnomeProxy(input.toString('utf8')), input.length);
    },
  },
  {
    name: 'settings-macos',
    sources: ['src/settings/system/macos'],
    maxBytes: MIB,
    seeds: [
      [
        '<dictionary> {',
        '  ExceptionsList : <array> {',
        '    0 : *.local',
        '    1 : 169.254/16',
        '  }',
        '  ExcludeSimpleHostnames : 1',
        '  HTTPSEnable : 1',
        '  HTTPSPort : 8080',
        '  HTTPSProxy : ::1',
        '  HTTPEnable : 1',
        '  HTTPProxy : proxy',
        '}',
      ].join('\n'),
      '<dictionary> {\n  SOCKSEnable : 1\n  SOCKSProxy : s\n  __SCOPED__ : <dictionary> {\n x : {\n}\n}\n}',
      '<dictionary> {\n  ProxyAutoConfigEnable : 1\n  ProxyAutoConfigURLString : http://a/\n  ProxyAutoDiscoveryEnable : 1\n}',
    ],
    dictionary: [' : ', '{', '}', '\n', 'Enable : 1', 'HTTPProxy : ', 'ExceptionsList : <array> {'],
    run(input) {
      assertSystemProxy(parseMacosProxy(input.toString('utf8')), input.length);
    },
  },
  {
    name: 'settings-windows',
    sources: ['src/settings/system/windows'],
    maxBytes: MIB,
    seeds: [
      'proxy:8080',
      'http=proxy:80;https=proxy:443;socks=s:1080',
      '*.corp.example;<local>;<-loopback>',
      'socks=s',
    ],
    dictionary: ['http=', 'https=', 'socks=', ';', '<local>', '__proto__='],
    run(input) {
      const text = input.toString('utf8');
      const { httpProxy, httpsProxy, socksOnly } = parseProxyServer(text);
      assert.ok(!socksOnly || (httpProxy === undefined && httpsProxy === undefined));
      const { bypass, bypassLocal } = parseProxyOverride(text);
      assert.ok(!bypassLocal || /<local>/i.test(text));
      assert.ok(bypass.join('').length <= text.length);
    },
  },
  {
    name: 'auth-logon-record',
    sources: ['src/auth/logons/logon-record', 'src/auth/logons/logon-standing'],
    maxBytes: 256 * KIB,
    seeds: [
      '{"version":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","revision":3,"logons":[{"realm":"corp.example","account":"corp\\\\alice","tag":7,"standing":{"verdict":"refused","acceptedAt":0,"refusedAt":99,"refusedBy":"p:1","strikes":0,"closedUntil":0},"leases":[{"id":"x","until":5,"pid":1,"start":"9","space":"s"}]}]}',
      '{"version":2}',
      '{"version":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","revision":0,"logons":[null,{"tag":null}]}',
    ],
    dictionary: [
      ...JSON_WORDS,
      '"proven"',
      '"revision":9007199254740991',
      '"leases":[]',
      '"tag":null',
    ],
    run(input) {
      const document = parseDocumentOfAnyVersion(input.toString('utf8'));
      if (document === null) {
        return;
      }
      assertBounded(document, { depth: 5, items: 200 * 80, size: 2 * 256 * KIB });
      assert.ok(document.logons.length <= 200);
      assert.ok(document.logons.every(({ leases }) => leases.length <= 8));
      const written = formatDocument(document);
      const read = parseDocument(written);
      assert.notEqual(read, null, 'what is written cannot be read');
      assert.equal(read && formatDocument(read), written);
      const [first] = document.logons;
      if (first !== undefined) {
        const changed = parseDocument(formatDocument(withRecord(document, first, 1000)));
        assert.notEqual(changed, null, 'after a change it cannot be read');
      }
    },
  },
];

function parseDocumentOfAnyVersion(text: string) {
  try {
    return parseDocument(text);
  } catch (error) {
    // The one refusal there is: a newer version wrote it.
    assert.match(String(error), /^Error: the memory of logons was written by a newer version/);
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function assertSystemProxy(proxy: SystemProxy | null, bytes: number): void {
  assertBounded(proxy, { depth: 2, items: 20 + bytes, size: 4 * bytes + 200 });
  assert.ok(proxy === null || proxy.name !== '');
}
