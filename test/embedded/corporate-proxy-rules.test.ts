// The rules a corporate proxy goes by, as they look on the wire: whom it signs on for how long, how many it takes, and what
// it answers instead of the origin.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Origin } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import { askFirst, base64, proxyWith, signOnTo } from './habit-stage.ts';
import { RawClient, session } from './raw-client.ts';

let origin: Origin;
let page: string;
let authority: string;

beforeAll(async () => {
  origin = await createOrigin();
  page = `${origin.url}/bytes/1`;
  authority = `127.0.0.1:${origin.port}`;
});

afterAll(() => origin.close());

describe('few-authenticators', () => {
  it('reserves one for each unanswered challenge, and lets further first legs wait', async () => {
    await using proxy = await proxyWith({
      name: 'few-authenticators',
      children: 2,
      waitMs: 60_000,
    });
    await using one = await RawClient.to(proxy);
    await using two = await RawClient.to(proxy);
    await using three = await RawClient.to(proxy);
    await using four = await RawClient.to(proxy);
    using auth = await session('ntlm');
    const challenged = await one.ask('GET', origin.url, [
      `Proxy-Authorization: NTLM ${base64(await auth.step(null))}`,
    ]);
    await askFirst(two, origin.url);
    const order: string[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const [client, name] of [[three, 'three'] as const, [four, 'four'] as const]) {
      waiting.push(askFirst(client, origin.url).then(() => order.push(name)));
      await expect.poll(() => proxy.counts().authenticatorWaits).toBe(waiting.length);
    }
    // Whoever sends no credentials needs no authenticator.
    await using bare = await RawClient.to(proxy);
    expect((await bare.ask('GET', origin.url)).head.status).toBe(407);
    expect(order).toEqual([]);

    const challenge = challenged.head.headers.first('proxy-authenticate')?.split(' ')[1] ?? '';
    const token = base64(await auth.step(Buffer.from(challenge, 'base64')));
    await one.ask('GET', origin.url, [`Proxy-Authorization: NTLM ${token}`]);
    await waiting[0];
    expect(order).toEqual(['three']);

    two.socket.destroy();
    await waiting[1];
    expect(proxy.counts()).toMatchObject({ authenticatorWaits: 2, authenticatorsBusy: 0 });
  });

  it.each([
    [503, undefined],
    [407, 'NTLM'],
  ] as const)('answers %i to a first leg that waits too long', async (status, offer) => {
    await using proxy = await proxyWith({
      name: 'few-authenticators',
      children: 1,
      waitMs: 50,
      status,
    });
    await using one = await RawClient.to(proxy);
    await using two = await RawClient.to(proxy);
    await askFirst(one, origin.url);
    const { head } = await askFirst(two, origin.url);

    expect(head.status).toBe(status);
    expect(head.headers.first('proxy-authenticate')).toBe(offer);
    expect(proxy.log.at(-1)).toMatchObject({ reason: 'busy', leg: 'first' });
    one.socket.destroy();
    // It is free when the proxy has seen that end, which `two` would not wait for long.
    await expect.poll(() => proxy.counts().longestReservationMs).toBeGreaterThanOrEqual(49);
    expect((await signOnTo(two, `${origin.url}/bytes/1`)).head.status).toBe(200);
  });
});

describe('whom it knows', () => {
  it('request-bound asks again on the connection it has just signed on', async () => {
    await using proxy = await proxyWith('request-bound');
    await using client = await RawClient.to(proxy);

    expect((await signOnTo(client, page)).head.status).toBe(200);
    expect((await client.ask('GET', page)).head.status).toBe(407);
    expect((await signOnTo(client, page)).head.status).toBe(200);
  });

  it.each([
    [403, 403],
    [503, 503],
    ['close', null],
  ] as const)(
    'connection-cap with %s refuses the second connection, and lets the first go on',
    async (refusal, status) => {
      await using proxy = await proxyWith({ name: 'connection-cap', connections: 1, refusal });
      await using first = await RawClient.to(proxy);
      await using second = await RawClient.to(proxy);
      await using third = await RawClient.to(proxy);
      expect((await signOnTo(first, page)).head.status).toBe(200);

      const answer = await signOnTo(second, page).catch(() => null);
      expect(answer?.head.status ?? null).toBe(status);
      expect(proxy.log.at(-1)).toMatchObject({ reason: 'connection-cap', user: 'CORP\\alice' });
      expect((await askAgain(first)).head.status).toBe(200);

      first.socket.destroy();
      second.socket.destroy();
      await delay(50);
      expect((await signOnTo(third, page)).head.status).toBe(200);
    },
  );

  it('closes-idle ends a connection without a request, not one that has never had any', async () => {
    await using proxy = await proxyWith({ name: 'closes-idle', afterMs: 100 });
    await using unused = await RawClient.to(proxy);
    await using client = await RawClient.to(proxy);
    await client.ask('GET', page);
    const started = performance.now();

    expect(await client.read()).toBeNull();
    expect(performance.now() - started).toBeGreaterThan(90);
    expect((await unused.ask('GET', page)).head.status).toBe(407);
  });

  it.each([
    [403, 403],
    [400, 400],
    ['close', null],
  ] as const)(
    'refuses-reuse with %s is for CONNECT on a signed-on connection alone',
    async (refusal, status) => {
      await using proxy = await proxyWith({ name: 'refuses-reuse', refusal });
      await using fresh = await RawClient.to(proxy);
      await using client = await RawClient.to(proxy);
      expect((await signOnTo(fresh, authority, 'CONNECT')).head.status).toBe(200);
      await signOnTo(client, page);
      expect((await askAgain(client)).head.status).toBe(200);

      const answer = await client.ask('CONNECT', authority).catch(() => null);
      expect(answer?.head.status ?? null).toBe(status);
      expect(proxy.log.at(-1)?.reason).toBe('reused');
    },
  );
});

describe('what it answers itself', () => {
  it('redirects-connect sends a CONNECT elsewhere, and forwards as ever', async () => {
    await using proxy = await createCorporateProxy({ schemes: [], habits: ['redirects-connect'] });
    await using client = await RawClient.to(proxy);
    const { head } = await client.ask('CONNECT', authority);

    expect(head.status).toBe(302);
    expect(head.headers.first('location')).toBe('http://portal.example/sign-in');
    expect((await client.ask('GET', page)).head.status).toBe(200);
  });

  it.each([200, 302, 511] as const)(
    'captive-portal answers %i to whatever is asked',
    async (status) => {
      await using proxy = await proxyWith({ name: 'captive-portal', status });
      await using client = await RawClient.to(proxy);
      await using other = await RawClient.to(proxy);
      const { head, body } = await client.ask('GET', page);
      const connect = await other.ask('CONNECT', authority);

      expect([head.status, connect.head.status]).toEqual([status, status]);
      expect(String(body)).toContain('guest network');
      expect(String(connect.body) + String(connect.rest)).toContain('guest network');
      expect(proxy.counts().forwarded).toBe(0);
    },
  );

  it.each([
    ['keeps the offers of an origin’s 407 to itself', [], []],
    ['passes-407 lets them through', ['passes-407'], ['Negotiate', 'NTLM', 'Basic realm="origin"']],
  ] as const)('%s', async (_, habits, offers) => {
    await using proxy = await createCorporateProxy({ schemes: [], habits });
    await using client = await RawClient.to(proxy);
    const { head, body } = await client.ask('GET', `${origin.url}/proxy-challenge`, [
      'X-Seen: yes',
    ]);

    expect(head.status).toBe(407);
    expect(head.headers.all('proxy-authenticate')).toEqual(offers);
    expect(JSON.parse(String(body))).toMatchObject({ 'x-seen': 'yes' });
  });
});

/** A further request without credentials. */
function askAgain(client: RawClient) {
  return client.ask('GET', page);
}
