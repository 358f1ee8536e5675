// Where sign-ons go wrong: proxies that let some URLs through, both layers asking at once, verdicts that are lost,
// forged or late. Each was a fault once.
import { createReadStream } from 'node:fs';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';
import { createRawServer } from './raw-server.ts';

const bob = { name: 'bob', domain: 'CORP', password: 'B0b:pass%word@x' };
const CHALLENGE = Buffer.from(
  '4e544c4d53535000020000000000000000000000018200000123456789abcdef',
  'hex',
).toString('base64');
const NTLM_407 = (token = '') =>
  `HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM${token}\r\nContent-Length: 0\r\n\r\n`;
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error) => (isSallyportError(error) ? error.code : String(error)),
  );

/** Wants NTLM for `/guarded`, and lets every other path and every CONNECT through: an allow-list before the sign-on. */
const lenientProxy = () =>
  createRawServer((socket) => {
    socket.on('data', (bytes) => {
      const head = bytes.toString('latin1');
      const token = /NTLM (\S+)/.exec(head)?.[1] ?? '';
      const type = Buffer.from(token, 'base64')[8] ?? 0;
      seen.push(head.split('\r\n')[0] ?? '');
      const isGuarded = head.includes('/guarded');
      if (isGuarded && type !== 3) {
        socket.write(NTLM_407(type === 1 ? ` ${CHALLENGE}` : ''));
      } else {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      }
    });
  });
let seen: string[] = [];

describe('a proxy that lets some URLs through without sign-on', () => {
  it('gets a request once, though it is known to want NTLM', async () => {
    seen = [];
    await using proxy = await lenientProxy();
    await using client = await clientOfAlice({ proxy: proxy.url });
    const get = async (path: string, options = {}) => {
      const response = await client.request(`http://origin.example${path}`, options);
      return (await readAll(response.body)).toString();
    };
    expect(await get('/guarded')).toBe('ok');
    // The pool would hide it: a second connection is needed.
    expect(await Promise.all([get('/free'), get('/free?2')])).toEqual(['ok', 'ok']);
    expect(await get('/upload', { method: 'POST', body: 'body' })).toBe('ok');
    const count = (start: string) => seen.filter((line) => line.startsWith(start)).length;
    expect([
      count('GET http://origin.example/free '),
      count('GET http://origin.example/free?2 '),
    ]).toEqual([1, 1]);
    expect(count('POST')).toBe(1);
  });

  it('opens a tunnel once', async () => {
    seen = [];
    await using proxy = await lenientProxy();
    await using client = await clientOfAlice({ proxy: proxy.url });
    await readAll((await client.request('http://origin.example/guarded')).body);
    const tunnels = await Promise.all([1, 2].map(() => client.openTunnel('example.com:443')));
    for (const tunnel of tunnels) {
      tunnel.destroy();
    }
    expect(seen.filter((line) => line.startsWith('CONNECT'))).toHaveLength(2);
  });
});

describe('a tunnel on a connection that has served requests', () => {
  it.each([403, 400, 'close'] as const)(
    'refused with %s is opened on a fresh one',
    async (refusal) => {
      await using origin = await createOrigin();
      await using proxy = await createCorporateProxy({
        schemes: ['NTLM'],
        users: [ALICE],
        habits: [{ name: 'refuses-reuse', refusal }],
      });
      await using client = await clientOfAlice({ proxy: proxy.url });
      await readAll((await client.request(`${origin.url}/bytes/1`)).body);
      (await client.openTunnel(`127.0.0.1:${origin.port}`)).destroy();
      // The first had three requests; then the refused one, and two legs more.
      expect(proxy.counts()).toMatchObject({ connections: 2, requests: 6, tunnels: 1 });
    },
  );

  it('is asked for twice at most where the address is forbidden', async () => {
    await using origin = await createOrigin();
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      blocked: (target) => target.startsWith('forbidden'),
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const responses = await Promise.all(
      [1, 2, 3].map(() => client.request(`${origin.url}/bytes/1`)),
    );
    await Promise.all(responses.map(({ body }) => readAll(body)));
    expect(await codeOf(client.openTunnel('forbidden.example:443'))).toBe('PROXY_REFUSED');
    expect(
      proxy.log.filter(({ method, status }) => method === 'CONNECT' && status === 403),
    ).toHaveLength(2);
  });
});

describe('proxy and origin asking at once', () => {
  /** An origin behind the proxy that wants Basic. */
  const basicOrigin = () =>
    createRawServer((socket) => {
      socket.on('data', (bytes) => {
        const isBob = bytes
          .toString()
          .includes(`Basic ${Buffer.from('bob:pw').toString('base64')}`);
        const body = isBob
          ? 'HTTP/1.1 200 OK\r\n'
          : 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\n';
        socket.write(`${body}Content-Length: 2\r\n\r\nok`);
      });
    });

  it('does not take the proxy’s 407 for a word of the origin', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await basicOrigin();
    await using client = await clientOfAlice({
      proxy: proxy.url,
      auth: 'ntlm,basic',
      allowBasicHttp: true,
      trusted: '127.0.0.1',
      originUser: 'bob',
      originPassword: 'pw',
    });
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => (await client.request(`${origin.url}/`)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it('keeps Basic for the proxy while the origin is signed on to', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['Basic'],
      users: [{ name: 'alice', password: ALICE.password }],
    });
    await using origin = await createOrigin({ users: [bob] });
    await using client = await clientOfAlice({
      proxy: proxy.url,
      user: 'alice',
      auth: 'ntlm,basic',
      allowBasicHttp: true,
      trusted: '127.0.0.1',
      originUser: 'CORP\\bob',
      originPassword: bob.password,
    });
    const response = await client.request(`${origin.url}/ntlm/bytes/4`);
    expect(response.status).toBe(200);
    expect(await readAll(response.body)).toHaveLength(4);
  });
});

describe('a 407 that a web server sends', () => {
  it('is not answered on a signed-on connection, where the proxy keeps its offers back', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    await readAll((await client.request(`${origin.url}/bytes/1`)).body);
    expect(await codeOf(client.request(`${origin.url}/proxy-challenge`))).toBe('PROXY_DENIED');
    expect(proxy.counts()).toMatchObject({ connections: 1, finalLegs: { 'CORP\\alice': 1 } });
  });

  it('is its answer within a tunnel, and gets no credentials', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin({ tls: CERTIFICATES });
    await using client = await clientOfAlice({ proxy: proxy.url, trusted: '127.0.0.1' });
    const response = await client.request(`${origin.url}/proxy-challenge`);
    expect(response.status).toBe(407);
    expect(Object.keys(JSON.parse(String(await readAll(response.body)))).join()).not.toContain(
      'authorization',
    );
    expect(origin.log).toHaveLength(1);
  });

  it('gets nobody’s password through a proxy that passes it on and wants no sign-on', async () => {
    await using proxy = await createCorporateProxy({ schemes: [], habits: ['passes-407'] });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    expect(await codeOf(client.request(`${origin.url}/proxy-challenge`))).toBe('BASIC_NOT_ALLOWED');
    const sent = proxy.log.flatMap(({ headers }) =>
      headers.filter(([name]) => name === 'Proxy-Authorization').map(([, value]) => value),
    );
    expect(sent.filter((value) => value.startsWith('Basic'))).toEqual([]);
    // First legs alone, each scheme once; and nothing of them came to the origin.
    expect(proxy.log).toHaveLength(4);
    expect(origin.log).toHaveLength(4);
  });
});

describe('a verdict that is lost, late or forged', () => {
  it('lost: 50 at once send a wrong password twice at most', { timeout: 25_000 }, async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['reset-after-final-leg'],
    });
    await using client = await clientOfAlice({ proxy: proxy.url, password: 'wrong' });
    const codes = await Promise.all(
      Array.from({ length: 50 }, () => codeOf(client.openTunnel('127.0.0.1:9'))),
    );
    expect(new Set(codes)).toEqual(new Set(['HANDSHAKE_CUT', 'CREDENTIALS_REFUSED']));
    expect(proxy.counts().finalLegs['CORP\\alice']).toBeLessThanOrEqual(2);
  });

  it('garbled: a 407 after the last leg is a no, whatever stands in it', async () => {
    let lastLegs = 0;
    await using proxy = await createRawServer((socket) => {
      let turn = 0;
      socket.on('data', () => {
        turn += 1;
        lastLegs += turn === 3 ? 1 : 0;
        const token = ['', ` ${SPNEGO_CHALLENGE}`, ' AAAA'][turn - 1] ?? '';
        socket.write(
          `HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate${token}\r\nContent-Length: 0\r\n\r\n`,
        );
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url, negotiateForm: 'spnego' });
    const codes: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      codes.push(await codeOf(client.openTunnel('127.0.0.1:9')));
    }
    expect(codes).toEqual(Array.from({ length: 4 }, () => 'CREDENTIALS_REFUSED'));
    expect(lastLegs).toBe(1);
  });

  it('a password that turned wrong is sent three times more, not for every request', async () => {
    await using origin = await createOrigin();
    let isDenied = false;
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: ['407-for-blocked'],
      blocked: () => isDenied,
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    await readAll((await client.request(`${origin.url}/bytes/1`)).body);
    isDenied = true;
    const codes: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      codes.push(await codeOf(client.openTunnel('127.0.0.1:9')));
    }
    expect(codes.filter((code) => code === 'PROXY_DENIED')).toHaveLength(3);
    expect(proxy.counts().finalLegs).toEqual({ 'CORP\\alice': 4 });
  });

  it('forged: a wrong signature of the server over the negotiation ends the matter', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['Negotiate'], users: [ALICE] });
    await using forger = await createForger(proxy.port);
    await using client = await clientOfAlice({
      proxy: forger.url,
      negotiateForm: 'spnego',
      spn: 'HTTP/127.0.0.1',
    });
    await expect(client.request('http://127.0.0.1:9/')).rejects.toMatchObject({
      code: 'CHALLENGE_INVALID',
      message: expect.stringContaining('signature'),
    });
  });

  it('ahead of time: bytes behind a 407 are no answer to the next request', async () => {
    await using proxy = await createCorporateProxy({
      schemes: ['NTLM'],
      users: [ALICE],
      habits: [{ name: 'surplus-bytes', text: 'HTTP/1.1 200 Connection established\r\n\r\n' }],
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    expect(await codeOf(client.openTunnel('127.0.0.1:9'))).toBe('PROXY_GARBLED');
    expect(proxy.counts()).toMatchObject({ connections: 1, requests: 1 });
  });

  it('dripped: a challenge page that never ends is a timeout', async () => {
    await using proxy = await createRawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 1000\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 50);
        socket.on('close', () => clearInterval(timer));
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url, handshakeTimeoutMs: 300 });
    const started = performance.now();
    expect(await codeOf(client.openTunnel('127.0.0.1:9'))).toBe('TIMEOUT');
    expect(performance.now() - started).toBeLessThan(1500 * 5);
  });
});

describe('a 407 whose page does not come to its end', () => {
  it.each([
    ['is larger than anybody reads', 2_000_000, 2_000_000],
    ['breaks off', 50, 10],
  ])('is followed by the sign-on on a fresh connection: it %s', async (_, announced, sent) => {
    const turns: string[] = [];
    await using proxy = await createRawServer((socket) => {
      socket.on('data', (bytes) => {
        const type = Buffer.from(/NTLM (\S+)/.exec(String(bytes))?.[1] ?? '', 'base64')[8] ?? 0;
        turns.push(['offers', 'challenge', '', 'verdict'][type] ?? '');
        if (type === 0) {
          socket.write(NTLM_407().replace('Length: 0', `Length: ${announced}`));
          socket.end('x'.repeat(sent));
        } else {
          socket.write(type === 1 ? NTLM_407(` ${CHALLENGE}`) : 'HTTP/1.1 200 OK\r\n\r\n');
        }
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    (await client.openTunnel('127.0.0.1:9')).destroy();
    expect(turns).toEqual(['offers', 'challenge', 'verdict']);
    expect(proxy.connections()).toBe(2);
  });
});

describe('the time for a sign-on', () => {
  it('does not count for the body of a proxy that wanted none', async () => {
    await using proxy = await createRawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
        let sent = 0;
        const timer = setInterval(() => {
          socket.write('x');
          sent += 1;
          if (sent === 10) {
            clearInterval(timer);
          }
        }, 60);
        socket.on('close', () => clearInterval(timer));
      });
    });
    // Told to use one scheme, the first leg goes with the first request.
    await using client = await clientOfAlice({
      proxy: proxy.url,
      auth: 'ntlm',
      handshakeTimeoutMs: 300,
    });
    const { body } = await client.request('http://origin.example/');
    expect(String(await readAll(body))).toBe('xxxxxxxxxx');
  });

  it.each([
    ['the first answer', 0],
    ['the verdict', 2],
  ])('ends a head that drips: %s', async (_, dripping) => {
    await using proxy = await createRawServer((socket) => {
      let turn = 0;
      socket.on('data', () => {
        const answer = turn === 2 ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' : '';
        const text = answer || NTLM_407(turn === 1 ? ` ${CHALLENGE}` : '');
        if (turn === dripping) {
          let at = 0;
          const timer = setInterval(() => socket.write(text[at++] ?? ''), 40);
          socket.on('close', () => clearInterval(timer));
        } else {
          socket.write(text);
        }
        turn += 1;
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url, handshakeTimeoutMs: 300 });
    const started = performance.now();
    await expect(client.openTunnel('127.0.0.1:9')).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('took too long over the head of its answer'),
    });
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

/** A challenge wrapped in SPNEGO, as an acceptor would send it. */
const SPNEGO_CHALLENGE = Buffer.from(
  'a1383036a0030a0101a10c060a2b06010401823702020aa2210420' +
    '4e544c4d53535000020000000000000000000000018200000123456789abcdef',
  'hex',
).toString('base64');

/** Stands before the proxy and flips a bit in the signature that comes with its 200. */
function createForger(port: number) {
  return createRawServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => undefined);
    client.on('data', (bytes) => upstream.write(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      client.write(text.startsWith('HTTP/1.1 407') ? bytes : Buffer.from(forge(text), 'latin1'));
    });
  });
}

function forge(answer: string): string {
  return answer.replace(/(Negotiate )(\S+)/, (_all, scheme, token) => {
    const bytes = Buffer.from(token, 'base64');
    const at = bytes.length - 8;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return scheme + bytes.toString('base64');
  });
}

describe('a body', () => {
  it('whose stream fails before it is read is an error, not a crash', async () => {
    await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url });
    await expect(
      client.request(`${origin.url}/echo-sha256`, { body: createReadStream('/nonexistent') }),
    ).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is sent without asking first to a server that does not know Expect', async () => {
    const heads: string[] = [];
    await using proxy = await createRawServer((socket) => {
      let text = '';
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        if (text.includes('Expect:')) {
          heads.push('asked');
          text = '';
          socket.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
        } else if (text.endsWith('0\r\n\r\n')) {
          heads.push(text.includes('whole') ? 'whole body' : 'no body');
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        }
      });
    });
    await using client = await clientOfAlice({ proxy: proxy.url });
    const response = await client.request('http://origin.example/', {
      body: Readable.from([Buffer.from('whole')]),
    });
    expect([response.status, heads]).toEqual([200, ['asked', 'whole body']]);
  });
});
