// A sign-on that breaks off behind any byte of its answers: it ends at once, in one of few ways, and the password
// is judged once at most.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSallyportError } from '../../src/errors/sallyport-error.ts';
import type { HabitParameters, Origin, SignOnAnswer } from '../../src/testing/index.ts';
import { createCorporateProxy, createOrigin } from '../../src/testing/index.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { firstLeg, signOnTo } from './habit-stage.ts';
import { ALICE, clientOfAlice, readAll } from './network.ts';
import { RawClient } from './raw-client.ts';

type Cut = HabitParameters['cut-answer'];

/** How a cut may end, for a forwarded request and a CONNECT alike. */
const ENDS: Readonly<Record<SignOnAnswer, readonly string[]>> = {
  // Behind the head of the offers a fresh connection goes on.
  offers: ['CONNECTION_LOST', 'ok'],
  challenge: ['CONNECTION_LOST', 'HANDSHAKE_CUT'],
  verdict: ['BODY_INCOMPLETE', 'CONNECTION_LOST', 'HANDSHAKE_CUT', 'ok'],
};
const AT_A_TIME = 16;
/** 60 places at 50 ms each, on a machine under load. */
const DEADLINE_MS = 30_000;
const ONE_DEADLINE_MS = 5_000;

let origin: Origin;

beforeAll(async () => {
  origin = await createOrigin();
});

afterAll(() => origin.close());

for (const answer of ['offers', 'challenge', 'verdict'] as const) {
  for (const method of ['GET', 'CONNECT'] as const) {
    it.each(['reset', 'close'] as const)(
      `${method}: the ${answer}, ended by a %s`,
      { timeout: DEADLINE_MS },
      async (by) => {
        await expectEnds(placesIn(await lengthOf(answer, method)), { answer, by }, method);
      },
    );
  }
}

/** How long an answer is, and its head. */
interface Length {
  readonly head: number;
  readonly whole: number;
}

async function lengthOf(answer: SignOnAnswer, method: 'GET' | 'CONNECT'): Promise<Length> {
  await using proxy = await createCorporateProxy({ schemes: ['NTLM'], users: [ALICE] });
  await using client = await RawClient.to(proxy);
  const target = targetOf(method);
  const steps = {
    offers: () => client.ask(method, target),
    challenge: async () => client.ask(method, target, [`Proxy-Authorization: ${await firstLeg()}`]),
    verdict: () => signOnTo(client, target, method),
  };
  const { body } = await steps[answer]();
  const whole = Buffer.concat(client.packets).length;
  return { head: whole - body.length, whole };
}

/** The first bytes, a sample of the others, and each side of every boundary. */
function placesIn({ head, whole }: Length): number[] {
  const first = Array.from({ length: 13 }, (_, index) => index);
  const sample = Array.from({ length: Math.floor(whole / 17) }, (_, index) => index * 17);
  const boundaries = [-4, -3, -2, -1, 0, 1].map((by) => head + by);
  return [...new Set([...first, ...sample, ...boundaries, whole - 1, whole])];
}

function targetOf(method: 'GET' | 'CONNECT'): string {
  return method === 'GET' ? `${origin.url}/bytes/9` : `127.0.0.1:${origin.port}`;
}

async function expectEnds(
  places: readonly number[],
  cut: Omit<Cut, 'bytes'>,
  method: 'GET' | 'CONNECT',
): Promise<void> {
  const left = [...places];
  const seen = new Map<string, number[]>();
  const work = async (): Promise<void> => {
    for (let bytes = left.shift(); bytes !== undefined; bytes = left.shift()) {
      const end = await endOf({ ...cut, bytes }, method);
      seen.set(end, [...(seen.get(end) ?? []), bytes]);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));

  const unexpected = [...seen].filter(([end]) => !ENDS[cut.answer].includes(end));
  expect(unexpected).toEqual([]);
  expect(seen.size).toBeGreaterThan(1);
}

/** The code or `ok`; and what must never be, in words. */
async function endOf(cut: Cut, method: 'GET' | 'CONNECT'): Promise<string> {
  await using proxy = await createCorporateProxy({
    schemes: ['NTLM'],
    users: [ALICE],
    habits: [{ name: 'cut-answer', ...cut }],
  });
  await using client = await clientOfAlice({ proxy: proxy.url });
  const started = performance.now();
  const end = await use(client, method).then(
    () => 'ok',
    (error) => (isSallyportError(error) ? error.code : String(error)),
  );
  const { finalLegs, connections } = proxy.counts();
  if ((finalLegs['CORP\\alice'] ?? 0) > 1) {
    return 'two last legs';
  }
  if (connections > 2) {
    return `${connections} connections`;
  }
  return performance.now() - started > ONE_DEADLINE_MS ? 'too late' : end;
}

async function use(client: Upstream, method: 'GET' | 'CONNECT'): Promise<void> {
  if (method === 'GET') {
    await readAll((await client.request(targetOf(method))).body);
    return;
  }
  const socket = await client.openTunnel(targetOf(method));
  socket.on('error', () => undefined).destroy();
}
