// Connections signed on ahead: what a proxy sees of them, when there are any, and what each bad habit makes of them. No
// loops, no wrong logons, and no tunnel fails that would have stood without them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import type { ReadyEvent } from '../../src/observe/events.ts';
import { EVENT_NAMES } from '../../src/observe/events.ts';
import type { CorporateProxy, Habit, Origin, ProxyScheme } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import type { ConnectResult, Upstream, UpstreamDeps } from '../../src/upstream/upstream.ts';
import { ALICE, clientOfAlice } from './network.ts';
import { createRawServer } from './raw-server.ts';

const WARM: UpstreamDeps = { warm: 32 };
/** Five times what anything takes here; what must not happen is waited for so long, too. */
const SOON = { timeout: 5000 };
const A_WHILE_MS = 400;

const proxyOf = (habits: readonly Habit[] = [], schemes: readonly ProxyScheme[] = ['NTLM']) =>
  createCorporateProxy({ schemes, users: [ALICE], habits });

const ahead = ({ log }: CorporateProxy) => log.filter(({ method }) => method === 'HEAD');
/** Requests whose sign-on is complete. */
const made = (proxy: CorporateProxy) => ahead(proxy).filter(({ status }) => status !== 407).length;

/** So many tunnels at once, open until all stand. */
async function burst(client: Upstream, origin: Origin, count: number): Promise<ConnectResult[]> {
  const all = await Promise.all(
    Array.from({ length: count }, () => client.connect(`127.0.0.1:${origin.port}`)),
  );
  end(all.map(({ socket }) => socket));
  return all;
}

function end(sockets: readonly Socket[]): void {
  for (const socket of sockets) {
    socket.on('error', () => undefined).destroy();
  }
}

const statuses = (results: readonly ConnectResult[]) => [
  ...new Set(results.map((one) => one.status)),
];

/** What `EVENT_NAMES.ready` tells meanwhile. */
function listen(): { readonly events: ReadyEvent[] } & Disposable {
  const events: ReadyEvent[] = [];
  const hear = (message: unknown): void => void events.push(message as ReadyEvent);
  subscribe(EVENT_NAMES.ready, hear);
  return { events, [Symbol.dispose]: () => void unsubscribe(EVENT_NAMES.ready, hear) };
}

describe('connections signed on ahead', () => {
  it('cost a CONNECT one request', async () => {
    using heard = listen();
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, WARM);
    await burst(client, origin, 2);
    await expect.poll(() => made(proxy), SOON).toBe(2);
    const before = proxy.counts().requests;
    const [result] = await burst(client, origin, 1);

    expect(result).toMatchObject({ status: 200, legs: 1, connections: 0, scheme: 'NTLM' });
    const own = proxy.log.slice(before).filter(({ method }) => method === 'CONNECT');
    expect(own).toMatchObject([{ request: 3, leg: 'none', user: 'CORP\\alice' }]);
    expect(ahead(proxy)[0]?.target).toBe(`${proxy.url}/`);
    expect(ahead(proxy)[0]?.headers).toContainEqual([
      'User-Agent',
      expect.stringMatching(/^sallyport\/\S+ \(signs on ahead\)$/),
    ]);
    const to = `${proxy.host}:${proxy.port}`;
    expect(heard.events).toContainEqual({ to, action: 'made', reason: null });
    expect(heard.events).toContainEqual({ to, action: 'used', reason: null });
  });

  it('serve most of a second burst, and are 32 at most', { timeout: 60_000 }, async () => {
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, WARM);
    await burst(client, origin, 50);
    await expect.poll(() => made(proxy), { timeout: 40_000 }).toBe(32);
    await delay(A_WHILE_MS);
    expect(made(proxy)).toBe(32);
    const second = await burst(client, origin, 50);

    expect(second.filter(({ connections }) => connections === 0)).toHaveLength(32);
    expect(statuses(second)).toEqual([200]);
    expect(proxy.counts().refused).toBe(0);
  });

  it('are not made for one alone, nor where they are turned off', async () => {
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    await using one = await clientOfAlice({ proxy: proxy.url }, WARM);
    await using off = await clientOfAlice({ proxy: proxy.url });
    await burst(one, origin, 1);
    await burst(off, origin, 5);
    await delay(A_WHILE_MS);
    expect(ahead(proxy)).toEqual([]);
  });

  it('end where nobody asks any more, and are not made again', async () => {
    using heard = listen();
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, { ...WARM, quietMs: 500 });
    await burst(client, origin, 3);
    await expect.poll(() => made(proxy), SOON).toBe(3);
    const gone = () => heard.events.filter(({ action }) => action === 'wasted');
    await expect.poll(gone, SOON).toHaveLength(3);
    await delay(A_WHILE_MS);

    expect(made(proxy)).toBe(3);
    const [result] = await burst(client, origin, 1);
    expect(result).toMatchObject({ status: 200, connections: 1 });
  });

  it('follow the last 30 s by the clock', async () => {
    let now = 1_000_000;
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, { ...WARM, now: () => now });
    await burst(client, origin, 4);
    await expect.poll(() => made(proxy), SOON).toBe(4);
    now += 30_001;
    await burst(client, origin, 1);
    await delay(A_WHILE_MS);
    expect(made(proxy)).toBe(4);
  });

  it('serve forwarded requests, which give them back', async () => {
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, WARM);
    await burst(client, origin, 2);
    await expect.poll(() => made(proxy), SOON).toBe(2);
    const { connections } = proxy.counts();
    for (let turn = 0; turn < 3; turn += 1) {
      const { body, legs } = await client.request(`${origin.url}/bytes/10`);
      await body.resume().toArray();
      expect(legs).toBe(1);
    }
    expect(proxy.counts().connections).toBe(connections);
  });

  it('are none for Digest and Basic', async () => {
    await using origin = await createOrigin();
    for (const scheme of ['Digest', 'Basic'] as const) {
      await using proxy = await proxyOf([], [scheme]);
      const auth = scheme.toLowerCase();
      const options = { proxy: proxy.url, auth, user: 'alice', allowBasicHttp: true };
      await using client = await clientOfAlice(options, WARM);
      expect(statuses(await burst(client, origin, 3))).toEqual([200]);
      await delay(A_WHILE_MS);
      expect(ahead(proxy)).toEqual([]);
    }
  });

  it('never try a password: only behind an acceptance of the last minute', async () => {
    let now = 1_000_000;
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    const gate = new LogonGate({ now: () => now });
    await using client = await clientOfAlice({ proxy: proxy.url }, { ...WARM, gate });
    await burst(client, origin, 2);
    await expect.poll(() => made(proxy), SOON).toBe(2);
    now += 61_000;
    await burst(client, origin, 2);
    await delay(A_WHILE_MS);
    expect(made(proxy)).toBe(2);

    await using wrong = await clientOfAlice({ proxy: proxy.url, password: 'wrong' }, WARM);
    await Promise.allSettled([1, 2, 3].map(() => wrong.openTunnel(`127.0.0.1:${origin.port}`)));
    await delay(A_WHILE_MS);
    expect(made(proxy)).toBe(2);
    expect(proxy.counts().refusals).toEqual({ 'CORP\\alice': 1 });
  });

  it('keep no program alive, and end with their client', async () => {
    await using proxy = await proxyOf();
    await using origin = await createOrigin();
    const client = await clientOfAlice({ proxy: proxy.url }, WARM);
    await burst(client, origin, 20);
    await client.close();
    const { requests } = proxy.counts();
    await delay(A_WHILE_MS);
    expect(proxy.counts().requests - requests).toBeLessThan(5);
  });
});

interface HabitRow {
  readonly habits: readonly Habit[];
  /** Connections signed on ahead in all, at most, by three bursts of five tunnels. */
  readonly atMost: number;
}

const HABIT_ROWS: readonly HabitRow[] = [
  { habits: [{ name: 'refuses-reuse', refusal: 403 }], atMost: 5 },
  { habits: [{ name: 'refuses-reuse', refusal: 'close' }], atMost: 5 },
  { habits: ['request-bound'], atMost: 5 },
  { habits: ['closes-idle'], atMost: 10 },
  { habits: [{ name: 'connection-cap', connections: 5, refusal: 403 }], atMost: 15 },
  { habits: [{ name: 'connection-cap', connections: 5, refusal: 503 }], atMost: 15 },
  { habits: ['few-authenticators'], atMost: 15 },
  { habits: ['http-1.0'], atMost: 15 },
];

describe.concurrent('a proxy that does not fit connections signed on ahead', () => {
  it.each(HABIT_ROWS)('$habits.0', { timeout: 30_000 }, async ({ habits, atMost }) => {
    await using proxy = await proxyOf(habits);
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, WARM);
    for (let round = 0; round < 3; round += 1) {
      expect(statuses(await burst(client, origin, 5))).toEqual([200]);
      // Longer than `closes-idle` takes, and than what counts as at once.
      await delay(1500);
    }
    expect(made(proxy)).toBeLessThanOrEqual(atMost);
    expect(proxy.counts().refusals).toEqual({});
    const { requests } = proxy.counts();
    await delay(A_WHILE_MS);
    expect(proxy.counts().requests).toBe(requests);
  });
});

describe('a proxy that refuses what is done ahead', () => {
  it('is not held up by a limit that connections of ours use up', { timeout: 20_000 }, async () => {
    using heard = listen();
    await using proxy = await proxyOf([{ name: 'connection-cap', connections: 4 }]);
    await using origin = await createOrigin();
    await using client = await clientOfAlice({ proxy: proxy.url }, WARM);
    await burst(client, origin, 4);
    await expect.poll(() => made(proxy), SOON).toBeGreaterThanOrEqual(4);
    await expect.poll(() => heard.events.length, SOON).toBeGreaterThanOrEqual(4);
    const second = await burst(client, origin, 4);
    expect(statuses(second)).toEqual([200]);
  });

  it.each(['reset', 'early reset', '407'] as const)(
    'answers our own request by a %s',
    async (how) => {
      await using proxy = await proxyOf();
      await using origin = await createOrigin();
      let answered = 0;
      await using front = await createRawServer((near) => {
        const onward = connect(proxy.port, '127.0.0.1').on('error', () => near.destroy());
        near.on('close', () => onward.destroy());
        onward.pipe(near);
        near.on('data', (bytes) => {
          const head = bytes.toString('latin1');
          const token = Buffer.from(/NTLM (\S+)/.exec(head)?.[1] ?? '', 'base64');
          if (!head.startsWith('HEAD ') || token[8] !== (how === 'early reset' ? 1 : 3)) {
            onward.write(bytes);
            return;
          }
          answered += 1;
          if (how === '407') {
            near.write('HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n');
          } else {
            near.resetAndDestroy();
          }
        });
      });
      await using client = await clientOfAlice({ proxy: front.url }, WARM);
      for (let round = 0; round < 5; round += 1) {
        expect(statuses(await burst(client, origin, 5))).toEqual([200]);
        await delay(50);
      }
      await expect.poll(() => answered, SOON).toBeGreaterThan(0);
      await delay(A_WHILE_MS);
      // A first leg that is lost is sent once more.
      expect(answered).toBeLessThanOrEqual(4);
      expect(proxy.counts().refusals).toEqual({});
    },
  );
});
