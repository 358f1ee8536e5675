import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Place } from './handshake-limit.ts';
import { HandshakeLimit, NotNow } from './handshake-limit.ts';

const signal = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Goes in and out as often, alone, with challenges that take so long each. */
async function pass(limit: HandshakeLimit, times: number, challengeMs: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const place = await limit.enter('a', signal);
    place.challenged(challengeMs);
    place.leave();
  }
}

/** How many of 40 get in at once. */
async function width(limit: HandshakeLimit): Promise<number> {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const places: Place[] = [];
  const waiting = Array.from({ length: 40 }, async () => {
    await limit.enter('a', controller.signal).then((place) => places.push(place));
  });
  await turn();
  const count = places.length;
  controller.abort();
  await Promise.allSettled(waiting);
  for (const place of places) {
    place.leave();
  }
  return count;
}

describe('HandshakeLimit', () => {
  it('lets four in at first, for each proxy, and the rest in their order', async () => {
    const limit = new HandshakeLimit();
    const order: number[] = [];
    const places: Place[] = [];
    const all = Array.from({ length: 8 }, async (_, number) => {
      places.push(await limit.enter('a', signal));
      order.push(number);
    });
    await turn();
    expect(order).toHaveLength(4);
    (await limit.enter('b', signal)).leave();
    for (let left = 0; left < 4; left += 1) {
      places[left]?.leave();
      places[left]?.leave();
      await turn();
    }
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 8 }, (_, number) => number));
  });

  it('widens with prompt challenges, to 16 and no further', async () => {
    const limit = new HandshakeLimit();
    await pass(limit, 5, 20);
    expect(await width(limit)).toBe(5);
    await pass(limit, 200, 20);
    expect(await width(limit)).toBe(16);
  });

  it('narrows by half where challenges are late, to one and no further', async () => {
    const limit = new HandshakeLimit();
    await pass(limit, 200, 20);
    await pass(limit, 1, 45);
    expect(await width(limit)).toBe(8);
    await pass(limit, 5, 90);
    expect(await width(limit)).toBe(1);
  });

  it('takes late challenges of one moment for one', async () => {
    let now = 0;
    const limit = new HandshakeLimit(() => now);
    await pass(limit, 200, 20);
    const places = await Promise.all(Array.from({ length: 16 }, () => limit.enter('a', signal)));
    now = 100;
    for (const place of places) {
      place.challenged(100);
      place.leave();
    }
    expect(await width(limit)).toBe(8);
  });

  it('takes a network that has become slow for what it is', async () => {
    const limit = new HandshakeLimit();
    await pass(limit, 10, 5);
    await pass(limit, 300, 80);
    expect(await width(limit)).toBe(16);
  });

  it('lets no newcomer pass who waits', async () => {
    const limit = new HandshakeLimit();
    const places = await Promise.all(Array.from({ length: 4 }, () => limit.enter('a', signal)));
    const order: string[] = [];
    const first = limit.enter('a', signal).then(() => order.push('first'));
    places[0]?.leave();
    const second = limit.enter('a', signal).then(() => order.push('second'));
    await first;
    expect(order).toEqual(['first']);
    places[1]?.leave();
    await second;
  });

  it('forgets whoever gives up waiting', async () => {
    const limit = new HandshakeLimit();
    const places = await Promise.all(Array.from({ length: 4 }, () => limit.enter('a', signal)));
    const controller = new AbortController();
    const waiting = limit.enter('a', controller.signal);
    const next = limit.enter('a', signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    places[0]?.leave();
    (await next).leave();
  });

  describe('enterAhead()', () => {
    it('leaves half of the door free, and goes behind all who wait', async () => {
      const limit = new HandshakeLimit();
      const order: string[] = [];
      const first = await limit.enterAhead('a', signal);
      await limit.enterAhead('a', signal);
      const third = limit.enterAhead('a', signal).then(() => order.push('ahead'));
      const places = [await limit.enter('a', signal), await limit.enter('a', signal)];
      const waiting = limit.enter('a', signal).then((place) => {
        order.push('waiting');
        return place;
      });
      first.leave();
      const last = await waiting;
      places[0]?.leave();
      places[1]?.leave();
      await turn();
      expect(order).toEqual(['waiting']);
      last.leave();
      await third;
      expect(order).toEqual(['waiting', 'ahead']);
    });

    it('is turned away where a challenge was late a moment ago', async () => {
      let now = 0;
      const limit = new HandshakeLimit(() => now);
      await pass(limit, 1, 10);
      const places = [await limit.enterAhead('a', signal), await limit.enterAhead('a', signal)];
      const waiting = limit.enterAhead('a', signal);
      places[0]?.challenged(100);
      await expect(waiting).rejects.toBeInstanceOf(NotNow);
      await expect(limit.enterAhead('a', signal)).rejects.toBeInstanceOf(NotNow);
      places[0]?.leave();
      places[1]?.leave();
      now += 1000;
      (await limit.enterAhead('a', signal)).leave();
    });

    it('forgets whoever gives up waiting', async () => {
      const limit = new HandshakeLimit();
      const places = [await limit.enterAhead('a', signal), await limit.enterAhead('a', signal)];
      const controller = new AbortController();
      const waiting = limit.enterAhead('a', controller.signal);
      const next = limit.enterAhead('a', signal);
      controller.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      places[0]?.leave();
      (await next).leave();
    });
  });
});
