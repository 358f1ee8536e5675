// Every bad habit of the embedded proxy and what comes of it, for forwarded requests and tunnels: the result, what it cost,
// and how long it may take. Nothing hangs, nothing loops, no password is sent twice.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import type { CorporateProxy, Habit, Origin, ProxyScheme } from '../../src/testing/index.ts';
import {
  createCorporateProxy,
  createOrigin,
  HABITS,
  originBytes,
} from '../../src/testing/index.ts';
import type { SallyportOptions } from '../../src/upstream/settings.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';

/** `ok` is the whole file; else the code of the error, the status of another answer, or a page nobody asked for. */
type Outcome = string;

interface Cost {
  readonly outcome: Outcome;
  /** Connections the proxy accepted, and requests it read. */
  readonly connections: number;
  readonly requests: number;
  /** Last legs for the password. */
  readonly finalLegs: number;
}

interface Row {
  readonly habits: readonly Habit[];
  /** Of a forwarded request; and of a tunnel, where that differs. */
  readonly http: Cost;
  readonly https?: Cost;
  /** Instead of the one under test. */
  readonly schemes?: readonly ProxyScheme[];
  /** Further schemes in front of the one under test. */
  readonly alsoOffers?: readonly ProxyScheme[];
  readonly client?: SallyportOptions;
  /** What the same client does first, which counts, too; and a socket that it holds meanwhile. */
  readonly before?: (client: Upstream, origin: Origin) => Promise<Socket | null>;
  readonly blocks?: true;
  readonly path?: string;
  /** Where it is not `DEADLINE_MS`. */
  readonly withinMs?: number;
}

/** Five times what it takes, at least. */
const DEADLINE_MS = 5_000;
const BYTES = 100_000;
const SHORT: SallyportOptions = { handshakeTimeoutMs: 300, idleTimeoutMs: 600 };
/** For what times out by these. */
const SHORT_DEADLINE_MS = 3_000;

const cost = (
  outcome: Outcome,
  connections: number,
  requests: number,
  finalLegs: number,
): Cost => ({
  outcome,
  connections,
  requests,
  finalLegs,
});
/** What a well-mannered proxy costs. */
const OK = cost('ok', 1, 3, 1);
const twoConnections = cost('ok', 2, 3, 1);

const plainDownload = async (client: Upstream, origin: Origin): Promise<null> => {
  await readAll((await client.request(`${origin.url}/bytes/7`)).body);
  return null;
};
const tunnelHeldOpen = (client: Upstream, origin: Origin): Promise<Socket> =>
  client.openTunnel(`127.0.0.1:${origin.port}`);

/** A tunnel that is refused on the connection of an earlier download. */
const onAFreshOne = { http: cost('ok', 1, 4, 1), https: cost('ok', 2, 6, 2) };

/** No habit at all comes first: what the others are measured against. */
const TABLE: readonly Row[] = [
  { habits: [], http: OK },
  { habits: ['close-on-first-407'], http: twoConnections },
  { habits: ['close-after-challenge'], http: cost('HANDSHAKE_CUT', 1, 2, 0) },
  { habits: ['chunked-407'], http: OK },
  { habits: ['large-407'], http: OK },
  { habits: ['close-delimited-407'], http: twoConnections },
  { habits: ['http-1.0'], http: OK },
  { habits: ['one-line-offers'], alsoOffers: ['Basic'], http: OK },
  { habits: ['early-bytes'], http: OK },
  { habits: ['split-token'], http: OK },
  { habits: ['407-for-blocked'], blocks: true, http: cost('CREDENTIALS_REFUSED', 1, 3, 1) },
  { habits: ['http-1.0', 'chunked-407', 'split-token'], http: OK },

  { habits: ['blank-lines'], http: OK },
  { habits: ['odd-reason'], http: OK },
  { habits: [{ name: 'odd-reason', reason: '' }], http: OK },
  { habits: [{ name: 'odd-reason', reason: '\u00dcn\u00efcode 200 OK' }], http: OK },
  { habits: ['surplus-bytes'], http: OK },
  { habits: [{ name: 'surplus-bytes', text: 'rubbish' }], http: cost('PROXY_GARBLED', 1, 1, 0) },
  {
    habits: [{ name: 'surplus-bytes', text: 'HTTP/1.1 200 OK\r\n\r\n' }],
    http: cost('PROXY_GARBLED', 1, 1, 0),
  },
  { habits: ['large-head'], http: cost('HEAD_TOO_LARGE', 1, 1, 0) },
  {
    // 64 KiB every 200 ms: whoever reads to the end needs 16 s.
    habits: ['large-head', { name: 'slow-drip', bytes: 65_536, pauseMs: 200 }],
    http: cost('HEAD_TOO_LARGE', 1, 1, 0),
    withinMs: 5_000,
  },

  { habits: ['padded-token'], http: OK },
  { habits: ['decoy-offers'], http: OK },
  { habits: ['decoy-offers', 'one-line-offers'], http: OK },
  { habits: ['lower-case-schemes'], http: OK },
  { habits: ['basic-first'], http: OK },
  { habits: ['strips-strong-schemes'], http: cost('BASIC_NOT_ALLOWED', 1, 1, 0) },
  { habits: ['no-target-info'], http: OK },
  { habits: ['no-timestamp'], http: OK },
  { habits: ['both-charsets'], http: OK },

  { habits: ['reset-after-first-leg'], http: cost('HANDSHAKE_CUT', 2, 3, 0) },
  { habits: [{ name: 'reset-after-first-leg', times: 1 }], http: cost('ok', 2, 4, 1) },
  { habits: ['reset-after-final-leg'], http: cost('HANDSHAKE_CUT', 1, 3, 1) },
  {
    habits: [{ name: 'cut-answer', answer: 'offers', bytes: 150, by: 'close' }],
    http: twoConnections,
  },
  {
    habits: [{ name: 'cut-answer', answer: 'challenge', bytes: 50 }],
    http: cost('CONNECTION_LOST', 1, 2, 0),
  },
  {
    habits: [{ name: 'cut-answer', answer: 'verdict', bytes: 20 }],
    http: cost('CONNECTION_LOST', 1, 3, 1),
  },
  { habits: ['cut-answer'], http: cost('HANDSHAKE_CUT', 2, 3, 0) },
  {
    habits: [{ name: 'cut-answer', answer: 'challenge', bytes: 20, by: 'silence' }],
    client: SHORT,
    withinMs: SHORT_DEADLINE_MS,
    http: cost('TIMEOUT', 1, 2, 0),
  },
  {
    habits: ['silent-to-request'],
    client: SHORT,
    withinMs: SHORT_DEADLINE_MS,
    http: cost('TIMEOUT', 1, 1, 0),
  },
  {
    habits: ['silent-after-first-leg'],
    client: SHORT,
    withinMs: SHORT_DEADLINE_MS,
    http: cost('TIMEOUT', 1, 2, 0),
  },
  {
    habits: ['silent-after-final-leg'],
    client: SHORT,
    withinMs: SHORT_DEADLINE_MS,
    http: cost('TIMEOUT', 1, 3, 1),
  },
  {
    habits: ['slow-drip'],
    client: { ...SHORT, idleTimeoutMs: 60_000 },
    withinMs: SHORT_DEADLINE_MS,
    http: cost('TIMEOUT', 1, 1, 0),
  },

  {
    habits: ['request-bound'],
    before: plainDownload,
    http: cost('ok', 2, 6, 2),
  },
  {
    habits: [{ name: 'connection-cap', connections: 1 }],
    before: tunnelHeldOpen,
    http: cost('status 403', 2, 5, 2),
    https: cost('PROXY_REFUSED', 2, 5, 2),
  },
  {
    habits: [{ name: 'connection-cap', connections: 1, refusal: 503 }],
    before: tunnelHeldOpen,
    http: cost('status 503', 2, 5, 2),
    https: cost('PROXY_REFUSED', 2, 5, 2),
  },
  {
    habits: [{ name: 'connection-cap', connections: 1, refusal: 'close' }],
    before: tunnelHeldOpen,
    http: cost('HANDSHAKE_CUT', 2, 5, 2),
  },
  {
    // Longer than a busy machine takes between two legs.
    habits: [{ name: 'closes-idle', afterMs: 1200 }],
    before: async (client, origin) => {
      await plainDownload(client, origin);
      await delay(2000);
      return null;
    },
    http: cost('ok', 2, 5, 2),
  },
  { habits: ['refuses-reuse'], before: plainDownload, ...onAFreshOne },
  { habits: [{ name: 'refuses-reuse', refusal: 400 }], before: plainDownload, ...onAFreshOne },
  { habits: [{ name: 'refuses-reuse', refusal: 'close' }], before: plainDownload, ...onAFreshOne },
  { habits: ['redirects-connect'], http: OK, https: cost('PROXY_REFUSED', 1, 3, 1) },
  {
    habits: ['captive-portal'],
    http: cost('a page of the proxy', 1, 1, 0),
    https: cost('TLS_FAILED', 1, 1, 0),
  },
  {
    habits: [{ name: 'captive-portal', status: 302 }],
    http: cost('status 302', 1, 1, 0),
    https: cost('PROXY_REFUSED', 1, 1, 0),
  },
  {
    habits: [{ name: 'captive-portal', status: 511 }],
    http: cost('status 511', 1, 1, 0),
    https: cost('PROXY_REFUSED', 1, 1, 0),
  },
  {
    habits: ['passes-407'],
    path: '/proxy-challenge',
    http: cost('CREDENTIALS_REFUSED', 1, 3, 1),
    https: cost('status 407', 1, 3, 1),
  },
  {
    habits: ['passes-407'],
    path: '/proxy-challenge',
    before: plainDownload,
    http: cost('PROXY_DENIED', 2, 6, 2),
    https: cost('status 407', 1, 4, 1),
  },
  {
    habits: ['passes-407'],
    schemes: [],
    path: '/proxy-challenge',
    // Each scheme's first leg, and none that knows the password.
    http: cost('BASIC_NOT_ALLOWED', 3, 4, 0),
    https: cost('status 407', 1, 1, 0),
  },
  {
    habits: [],
    path: '/proxy-challenge',
    before: plainDownload,
    http: cost('PROXY_DENIED', 1, 4, 1),
    https: cost('status 407', 1, 4, 1),
  },
  {
    habits: [],
    path: '/proxy-challenge',
    http: cost('CREDENTIALS_REFUSED', 1, 3, 1),
    https: cost('status 407', 1, 3, 1),
  },
  { habits: ['few-authenticators'], http: OK },
  {
    habits: [{ name: 'few-authenticators', children: 0, waitMs: 100 }],
    http: cost('status 503', 1, 2, 0),
    https: cost('PROXY_REFUSED', 1, 2, 0),
  },
];

describe('few authenticators', () => {
  it.each(['http', 'https'] as const)(
    'serve many at once, one after the other, %s',
    async (target) => {
      await using proxy = await createCorporateProxy({
        schemes: ['NTLM'],
        users: [ALICE],
        habits: ['few-authenticators'],
      });
      await using origin = await createOrigin(target === 'https' ? { tls: CERTIFICATES } : {});
      await using client = await clientOfAlice({ proxy: proxy.url });
      const started = performance.now();
      const outcomes = await Promise.all(
        Array.from({ length: 24 }, () => download(client, `${origin.url}/bytes/${BYTES}`)),
      );

      expect(new Set(outcomes)).toEqual(new Set(['ok']));
      expect(proxy.counts()).toMatchObject({ authenticatorsBusy: 0, refused: 0 });
      expect(performance.now() - started).toBeLessThan(2 * DEADLINE_MS);
    },
  );
});

describe('the table of habits', () => {
  it('has every habit of the embedded proxy', () => {
    const shown = new Set(
      TABLE.flatMap(({ habits }) =>
        habits.map((habit) => (typeof habit === 'string' ? habit : habit.name)),
      ),
    );
    expect([...shown].sort()).toEqual(Object.keys(HABITS).sort());
  });
});

for (const scheme of ['NTLM', 'Negotiate'] as const) {
  // What depends on the scheme is the same for both kinds of target.
  for (const target of scheme === 'NTLM' ? (['http', 'https'] as const) : (['https'] as const)) {
    describe(`${scheme}, ${target}`, () => {
      it.each(TABLE.map((row) => [titleOf(row, target), row] as const))('%s', async (_, row) => {
        await using proxy = await createCorporateProxy({
          schemes: row.schemes ?? [...(row.alsoOffers ?? []), scheme],
          users: [ALICE],
          habits: row.habits,
          blocked: () => row.blocks === true,
        });
        await using plain = await createOrigin();
        await using origin = await createOrigin(target === 'https' ? { tls: CERTIFICATES } : {});
        await using client = await clientOfAlice({ proxy: proxy.url, ...row.client });
        const started = performance.now();
        const held = await row.before?.(client, plain);
        const outcome = await download(client, `${origin.url}${row.path ?? `/bytes/${BYTES}`}`);

        expect({ outcome, ...spent(proxy) }).toEqual(expectedOf(row, target));
        expect(performance.now() - started).toBeLessThan(row.withinMs ?? DEADLINE_MS);
        expect(schemesSent(proxy)).not.toContain('Basic');
        held?.destroy();
        await client.close();
        await expect.poll(openSockets, { timeout: DEADLINE_MS }).toBe(0);
      });
    });
  }
}

function expectedOf(row: Row, target: 'http' | 'https'): Cost {
  return target === 'https' ? (row.https ?? row.http) : row.http;
}

function titleOf(row: Row, target: 'http' | 'https'): string {
  return `${JSON.stringify(row.habits)} ${row.path ?? ''}: ${expectedOf(row, target).outcome}`;
}

function spent(proxy: CorporateProxy) {
  const { connections, requests, finalLegs } = proxy.counts();
  return { connections, requests, finalLegs: finalLegs['CORP\\alice'] ?? 0 };
}

function schemesSent({ log }: CorporateProxy): string[] {
  return log.flatMap(({ headers }) =>
    headers.flatMap(([name, value]) =>
      name.toLowerCase() === 'proxy-authorization' ? [value.split(' ')[0] ?? ''] : [],
    ),
  );
}

/** Of client, proxy and origin: all are in this process. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

async function download(client: Upstream, url: string): Promise<Outcome> {
  try {
    const response = await client.request(url);
    const body = await readAll(response.body);
    if (response.status !== 200) {
      return `status ${response.status}`;
    }
    return body.equals(originBytes(BYTES)) ? 'ok' : 'a page of the proxy';
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
}
