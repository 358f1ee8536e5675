import { describe, expect, it } from 'vitest';
import { HandshakeLimit } from './handshake-limit.ts';

const signal = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('HandshakeLimit', () => {
  it('lets 16 in for each proxy, and the rest in their order', async () => {
    const limit = new HandshakeLimit();
    const order: number[] = [];
    const leaves: (() => void)[] = [];
    const all = Array.from({ length: 20 }, async (_, number) => {
      leaves.push(await limit.enter('a', signal));
      order.push(number);
    });
    await turn();
    expect(order).toHaveLength(16);
    (await limit.enter('b', signal))();
    for (let left = 0; left < 4; left += 1) {
      leaves[left]?.();
      leaves[left]?.();
      await turn();
    }
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  it('forgets whoever gives up waiting', async () => {
    const limit = new HandshakeLimit();
    const leaves = await Promise.all(Array.from({ length: 16 }, () => limit.enter('a', signal)));
    const controller = new AbortController();
    const waiting = limit.enter('a', controller.signal);
    const next = limit.enter('a', signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    leaves[0]?.();
    (await next)();
  });
});
