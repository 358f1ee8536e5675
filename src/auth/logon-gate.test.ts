import { describe, expect, it } from 'vitest';
import { LogonGate } from './logon-gate.ts';

const signal = new AbortController().signal;
const refusedError = expect.objectContaining({ code: 'CREDENTIALS_REFUSED' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('LogonGate', () => {
  it('lets one try an unproven secret, and the rest in once it is accepted', async () => {
    const gate = new LogonGate();
    const first = await gate.enter('k', 'proxy', signal);
    let inside = 0;
    const others = Array.from({ length: 49 }, async () => {
      const ticket = await gate.enter('k', 'proxy', signal);
      inside += 1;
      return ticket;
    });
    await turn();
    expect(inside).toBe(0);
    first.accepted();
    const tickets = await Promise.all(others);
    expect(first.proven).toBe(false);
    expect(tickets.every(({ proven }) => proven)).toBe(true);
  });

  it('turns everybody away after one refusal', async () => {
    const gate = new LogonGate();
    const first = await gate.enter('k', 'proxy', signal);
    const others = Array.from({ length: 49 }, () => gate.enter('k', 'proxy', signal));
    first.refused();
    for (const result of await Promise.allSettled(others)) {
      expect(result).toMatchObject({ status: 'rejected', reason: refusedError });
    }
    await expect(gate.enter('k', 'proxy', signal)).rejects.toEqual(refusedError);
  });

  it('passes the turn on, to one, when an attempt ends without a verdict', async () => {
    const gate = new LogonGate();
    const first = await gate.enter('k', 'proxy', signal);
    let inside = 0;
    const others = [1, 2].map(async () => {
      const ticket = await gate.enter('k', 'proxy', signal);
      inside += 1;
      return ticket;
    });
    first.undecided();
    const second = await Promise.race(others);
    await turn();
    expect(inside).toBe(1);
    second.undecided();
    await Promise.all(others);
    expect(inside).toBe(2);
  });

  it('does not take a refusal of a proven secret for a wrong password', async () => {
    const gate = new LogonGate();
    (await gate.enter('k', 'proxy', signal)).accepted();
    (await gate.enter('k', 'proxy', signal)).refused();
    expect((await gate.enter('k', 'proxy', signal)).proven).toBe(true);
  });

  it('lets exactly one more in after the longest wait', async () => {
    const gate = new LogonGate(20);
    await gate.enter('k', 'proxy', signal);
    let inside = 0;
    const others = [1, 2, 3].map(async () => {
      const ticket = await gate.enter('k', 'proxy', signal);
      inside += 1;
      return ticket;
    });
    const second = await Promise.race(others);
    expect(inside).toBe(1);
    second.accepted();
    await Promise.all(others);
    expect(inside).toBe(3);
  });

  it('stops waiting when the caller gives up', async () => {
    const gate = new LogonGate();
    await gate.enter('k', 'proxy', signal);
    const controller = new AbortController();
    const waiting = gate.enter('k', 'proxy', controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('keeps places and secrets apart', async () => {
    const gate = new LogonGate();
    (await gate.enter('a', 'proxy', signal)).refused();
    expect((await gate.enter('b', 'proxy', signal)).proven).toBe(false);
  });
});
