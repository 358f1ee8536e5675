// The parsers of downloads: names, what is known of an unfinished one, and when to come back.
import assert from 'node:assert/strict';
import { fileNameOf } from '../../../src/cli/file-name.ts';
import { readForeignFile } from '../../../src/cli/import/foreign-file.ts';
import { translate } from '../../../src/cli/import/translate.ts';
import { parseRecord } from '../../../src/cli/part-record.ts';
import { parseHttpDate, parseRetryAfter } from '../../../src/http1/retry-after.ts';
import { parseConfiguration } from '../../../src/settings/config-file.ts';
import { acceptedBy, assertBounded } from '../engine/properties.ts';
import type { FuzzTarget } from '../engine/target.ts';

const DIGEST = '0123456789abcdef'.repeat(4);

export const CLI_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'cli-import',
    sources: ['src/cli/import'],
    maxBytes: 256 * 1024,
    seeds: [
      'Username alice\nDomain CORP\nPassword "a;b"\nProxy 10.0.0.41:8080\nListen 3128\n',
      'NoProxy localhost, 127.0.0.*, 10.*, *.corp.example\n[global]\nGateway yes # all\n',
      '[proxy]\nserver = a:1, b:2\nport = 3128\nlisten = 127.0.0.1\nauth = NTLM\n',
      'noproxy = 192.168.*.*,172.16.0.0/12\nusername = CORP\\alice\n',
    ],
    dictionary: [
      'Proxy ',
      'server=',
      'Listen ',
      'port=',
      '[',
      ']',
      '"',
      ';',
      '::1',
      '@',
      '*.*',
      '/8',
    ],
    run(input) {
      for (const program of ['cntlm', 'px'] as const) {
        const outcome = acceptedBy(['CONFIG_INVALID', 'PROXY_URL_INVALID'], () =>
          translate('/f', program, readForeignFile('/f', program, input)),
        );
        if (outcome !== undefined) {
          // Whatever was taken is a file of ours.
          const text = JSON.stringify(outcome.configuration);
          acceptedBy(['CONFIG_INVALID'], () => parseConfiguration('/g', Buffer.from(text)));
          assert.ok(outcome.rows.every(({ keys, note }) => keys.length > 0 || note !== ''));
        }
      }
    },
  },
  {
    name: 'cli-file-name',
    sources: ['src/cli/file-name'],
    maxBytes: 64 * 1024,
    seeds: ['a/b%20c.zip', 'con.txt', '%2e%2e', 'a%2fb', 'x. ', '..%5cx', 'a%00b'],
    dictionary: ['%2f', '%5c', '%2e', '..', 'com1', 'nul', '%e9', ':', '?', '#', '%c2%85'],
    run(input) {
      const address = `https://host.example/${input.toString('utf8')}`;
      const url = URL.canParse(address) ? new URL(address) : null;
      for (const platform of ['linux', 'win32'] as const) {
        const name = url && acceptedBy(['USAGE'], () => fileNameOf(url, platform));
        // It stays in the folder that was meant.
        assert.doesNotMatch(name ?? 'none', /[\p{Cc}/\\]|^\.{0,2}$/u);
        assert.ok(platform === 'linux' || !/[<>:"|?*]|[. ]$|^(?:con|nul)$/i.test(name ?? 'none'));
      }
    },
  },
  {
    name: 'cli-part-record',
    sources: ['src/cli/part-record'],
    maxBytes: 4096,
    seeds: [
      JSON.stringify({
        ...{ version: 1, asked: DIGEST, source: DIGEST },
        ...{ etag: '"a"', lastModified: null, total: 7 },
      }),
      JSON.stringify({
        ...{ version: 1, asked: DIGEST, source: DIGEST, etag: null, total: null },
        lastModified: 'Sun, 06 Nov 1994 08:49:37 GMT',
      }),
      'null',
    ],
    dictionary: ['null', '"etag":', '"W/\\"a\\""', '"__proto__":{"total":1},', '\\n', '1e99'],
    run(input) {
      const record = recordOrNull(input.toString('utf8'));
      if (record === null) {
        return;
      }
      assertBounded(record, { depth: 1, items: 5, size: input.length });
      assert.deepEqual(parseRecord(JSON.stringify({ version: 1, ...record })), record);
      // Both go back as header values.
      assert.doesNotMatch(`${record.etag}${record.lastModified}`, /[\0\r\n]/);
    },
  },
  {
    name: 'http1-retry-after',
    sources: ['src/http1/retry-after'],
    maxBytes: 64 * 1024,
    seeds: ['120', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT', '-1'],
    dictionary: ['GMT', ' ', ':', ', ', '00', '99'],
    run(input) {
      const text = input.toString('latin1');
      const waitMs = parseRetryAfter(text, 0);
      assert.ok(waitMs === undefined || (Number.isSafeInteger(waitMs) && waitMs >= 0));
      const moment = parseHttpDate(text);
      const written = moment === undefined ? text : new Date(moment).toUTCString();
      assert.equal(parseHttpDate(written), moment);
    },
  },
];

/** What is no JSON, or none of an object, is told by an exception. */
function recordOrNull(text: string) {
  try {
    return parseRecord(text);
  } catch (error) {
    assert.ok(error instanceof SyntaxError || error instanceof TypeError);
    return null;
  }
}
