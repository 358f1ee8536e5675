import { describe, expect, it } from 'vitest';
import { Authenticators } from './authenticators.ts';

const stays = () => new AbortController().signal;

describe('Authenticators', () => {
  it('hands one on to whoever waits longest', async () => {
    const authenticators = new Authenticators(1);
    const first = await authenticators.reserve({ waitMs: 1000, gone: stays() });
    const order: string[] = [];
    const wait = async (name: string) => {
      const reservation = await authenticators.reserve({ waitMs: 1000, gone: stays() });
      order.push(name);
      return reservation;
    };
    const [second, third] = [wait('second'), wait('third')];
    first?.release();
    first?.release();
    (await second)?.release();
    (await third)?.release();

    expect(order).toEqual(['second', 'third']);
    expect(authenticators).toMatchObject({ waits: 2, busy: 0 });
  });

  it('lets nobody wait longer than is said, and goes on', async () => {
    const authenticators = new Authenticators(1);
    const held = await authenticators.reserve({ waitMs: 0, gone: stays() });

    expect(await authenticators.reserve({ waitMs: 5, gone: stays() })).toBeNull();
    held?.release();
    expect(await authenticators.reserve({ waitMs: 5, gone: stays() })).not.toBeNull();
    expect(authenticators).toMatchObject({ waits: 1, busy: 1 });
  });

  it('gives none to a client that has gone', async () => {
    const authenticators = new Authenticators(1);
    const held = await authenticators.reserve({ waitMs: 0, gone: stays() });
    const client = new AbortController();
    const waiting = authenticators.reserve({ waitMs: 1000, gone: client.signal });
    client.abort();

    expect(await waiting).toBeNull();
    held?.release();
    expect(await authenticators.reserve({ waitMs: 0, gone: stays() })).not.toBeNull();
    expect(authenticators.busy).toBe(0);
  });
});
