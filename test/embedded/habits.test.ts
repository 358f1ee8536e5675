// Every bad habit of the embedded proxy and what comes of it, for forwarded requests and tunnels.
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import type { Habit } from '../../src/testing/index.ts';
import {
  createCorporateProxy,
  createOrigin,
  HABITS,
  originBytes,
} from '../../src/testing/index.ts';
import { ALICE, CERTIFICATES, clientOfAlice, readAll } from './network.ts';

type Outcome = 'ok' | 'PROXY_DENIED' | 'HANDSHAKE_CUT' | 'CREDENTIALS_REFUSED';

interface Row {
  readonly habits: readonly Habit[];
  readonly outcome: Outcome;
  /** Connections the proxy accepted, and requests it read, for one download. */
  readonly connections: number;
  readonly requests: number;
  readonly finalLegs: number;
}

/** No habit at all comes first: what the others are measured against. */
const TABLE: readonly Row[] = [
  { habits: [], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  { habits: ['close-on-first-407'], outcome: 'ok', connections: 2, requests: 3, finalLegs: 1 },
  {
    habits: ['close-after-challenge'],
    outcome: 'HANDSHAKE_CUT',
    connections: 1,
    requests: 2,
    finalLegs: 0,
  },
  { habits: ['chunked-407'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  { habits: ['large-407'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  { habits: ['close-delimited-407'], outcome: 'ok', connections: 2, requests: 3, finalLegs: 1 },
  { habits: ['http-1.0'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  { habits: ['one-line-offers'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  { habits: ['early-bytes'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  { habits: ['split-token'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  {
    habits: ['407-for-blocked'],
    outcome: 'CREDENTIALS_REFUSED',
    connections: 1,
    requests: 3,
    finalLegs: 1,
  },
  {
    habits: ['reset-after-first-leg'],
    outcome: 'HANDSHAKE_CUT',
    connections: 2,
    requests: 3,
    finalLegs: 0,
  },
  {
    habits: [{ name: 'reset-after-first-leg', times: 1 }],
    outcome: 'ok',
    connections: 2,
    requests: 4,
    finalLegs: 1,
  },
  {
    habits: ['reset-after-final-leg'],
    outcome: 'HANDSHAKE_CUT',
    connections: 1,
    requests: 3,
    finalLegs: 1,
  },
  { habits: ['few-authenticators'], outcome: 'ok', connections: 1, requests: 3, finalLegs: 1 },
  {
    habits: ['http-1.0', 'chunked-407', 'split-token'],
    outcome: 'ok',
    connections: 1,
    requests: 3,
    finalLegs: 1,
  },
];

const DEADLINE_MS = 5000;
const BYTES = 100_000;

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
  for (const target of ['http', 'https'] as const) {
    describe(`${scheme}, ${target}`, () => {
      it.each(TABLE)('$habits: $outcome', { timeout: DEADLINE_MS }, async (row) => {
        const isBlocked = row.habits.includes('407-for-blocked');
        await using proxy = await createCorporateProxy({
          schemes: row.habits.includes('one-line-offers') ? ['Basic', scheme] : [scheme],
          users: [ALICE],
          habits: row.habits,
          blocked: () => isBlocked,
        });
        await using origin = await createOrigin(target === 'https' ? { tls: CERTIFICATES } : {});
        await using client = await clientOfAlice({ proxy: proxy.url });
        const result = await download(client, `${origin.url}/bytes/${BYTES}`);
        const counts = proxy.counts();
        expect({
          outcome: result,
          connections: counts.connections,
          requests: counts.requests,
          finalLegs: counts.finalLegs['CORP\\alice'] ?? 0,
        }).toEqual({
          outcome: row.outcome,
          connections: row.connections,
          requests: row.requests,
          finalLegs: row.finalLegs,
        });
      });
    });
  }
}

async function download(client: Awaited<ReturnType<typeof clientOfAlice>>, url: string) {
  try {
    const response = await client.request(url);
    expect(response.status).toBe(200);
    expect((await readAll(response.body)).equals(originBytes(BYTES))).toBe(true);
    return 'ok';
  } catch (error) {
    return isSallyportError(error) ? error.code : error;
  }
}
