import { describe, expect, it } from 'vitest';
import type { RequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { HeaderList } from '../http1/header-list.ts';
import { refuseForeignCaller } from './foreign-caller.ts';

const HERE = { localAddress: '127.0.0.1', localPort: 3128 };

function head(target: string, ...fields: readonly HeaderField[]): RequestHead {
  return { method: 'POST', target, version: '1.1', headers: new HeaderList(fields) };
}

describe('refuseForeignCaller()', () => {
  it.each(['localhost:3128', '127.0.0.1:3128', '[::1]:3128', 'LOCALHOST:3128'])(
    'lets Host %s pass, with no Origin or its own',
    (host) => {
      expect(refuseForeignCaller(head('/', ['Host', host]), HERE)).toBeNull();
      const own = head('/', ['Host', host], ['Origin', `http://${host}`]);
      expect(refuseForeignCaller(own, HERE)).toBeNull();
    },
  );

  it.each([
    'evil.example:3128',
    'localhost',
    'localhost:80',
    '127.0.0.1.evil.example:3128',
    'localhost.:3128',
    'x@localhost:3128',
    '10.0.0.1:3128',
    '',
  ])('refuses Host %s', (host) => {
    expect(refuseForeignCaller(head('/', ['Host', host]), HERE)).toMatchObject({ status: 403 });
  });

  it.each([
    'http://evil.example',
    'null',
    'https://localhost:3128',
    'http://localhost',
    'http://localhost:3128.evil.example',
  ])('refuses Origin %s', (origin) => {
    const foreign = head('/healthz', ['Host', 'localhost:3128'], ['Origin', origin]);
    expect(refuseForeignCaller(foreign, HERE)).toMatchObject({ status: 403 });
  });

  it.each([
    [[['Sec-Fetch-Site', 'cross-site']]],
    [
      [
        ['Sec-Fetch-Site', 'same-site'],
        ['Sec-Fetch-Mode', 'no-cors'],
        ['Sec-Fetch-Dest', 'script'],
      ],
    ],
    [
      [
        ['Sec-Fetch-Site', 'cross-site'],
        ['Sec-Fetch-Mode', 'navigate'],
        ['Sec-Fetch-Dest', 'iframe'],
      ],
    ],
  ] as const)('refuses what another site has in it: %j', (fields) => {
    const embedded = head('/proxy.pac', ['Host', 'localhost:3128'], ...fields);
    expect(refuseForeignCaller(embedded, HERE)).toMatchObject({ status: 403 });
  });

  it.each([
    [
      [
        ['Sec-Fetch-Site', 'none'],
        ['Sec-Fetch-Mode', 'navigate'],
        ['Sec-Fetch-Dest', 'document'],
      ],
    ],
    [
      [
        ['Sec-Fetch-Site', 'same-origin'],
        ['Sec-Fetch-Mode', 'no-cors'],
        ['Sec-Fetch-Dest', 'image'],
      ],
    ],
    [
      [
        ['Sec-Fetch-Site', 'cross-site'],
        ['Sec-Fetch-Mode', 'navigate'],
        ['Sec-Fetch-Dest', 'document'],
      ],
    ],
  ] as const)('lets pass what somebody opened: %j', (fields) => {
    const opened = head('/status', ['Host', 'localhost:3128'], ...fields);
    expect(refuseForeignCaller(opened, HERE)).toBeNull();
  });

  it('refuses what names no host, two hosts, or a foreign Origin beside its own', () => {
    const own = ['Host', 'localhost:3128'] as const;
    const origin = ['Origin', 'http://localhost:3128'] as const;
    for (const fields of [[], [own, own], [own, origin, ['Origin', 'http://evil'] as const]]) {
      expect(refuseForeignCaller(head('*', ...fields), HERE)).toMatchObject({ status: 403 });
    }
  });

  it('takes the address it listens on, without a port on 80', () => {
    const there = { localAddress: '::ffff:172.17.0.1', localPort: 80 };
    expect(refuseForeignCaller(head('/', ['Host', '172.17.0.1']), there)).toBeNull();
    expect(refuseForeignCaller(head('/', ['Host', '172.17.0.2']), there)).not.toBeNull();
    const six = { localAddress: 'fd00::1', localPort: 3128 };
    expect(refuseForeignCaller(head('/', ['Host', '[fd00::1]:3128']), six)).toBeNull();
  });

  it('leaves alone what is to be forwarded', () => {
    for (const target of ['http://evil.example/', 'evil.example:443']) {
      const request = head(target, ['Host', 'evil.example'], ['Origin', 'http://evil.example']);
      expect(refuseForeignCaller(request, HERE)).toBeNull();
    }
  });
});
