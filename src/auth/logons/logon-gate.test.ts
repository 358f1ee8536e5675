import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../observe/secret.ts';
import type { LogonRequest } from './logon-gate.ts';
import { LogonGate } from './logon-gate.ts';

const logon = (secret: string | null, realm = 'corp.example'): LogonRequest => ({
  place: 'proxy.corp.example:3128',
  realm,
  account: 'CORP\\alice',
  secret: secret === null ? null : new Secret(secret),
});
const k = logon('k');
const signal = new AbortController().signal;
setMaxListeners(0, signal);
const refusedError = expect.objectContaining({ code: 'CREDENTIALS_REFUSED' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('LogonGate', () => {
  it('lets one try an unproven secret, and the rest in once it is accepted', async () => {
    const gate = new LogonGate();
    const first = await gate.enter(k, signal);
    let inside = 0;
    const others = Array.from({ length: 49 }, async () => {
      const ticket = await gate.enter(k, signal);
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

  it('lets in what nobody waits for only behind an acceptance of the last minute', async () => {
    let now = 1_000_000;
    const gate = new LogonGate({ now: () => now });
    expect(await gate.enterTrusted(k)).toBeNull();
    (await gate.enter(k, signal)).accepted();
    const ticket = await gate.enterTrusted(k);
    expect(ticket?.proven).toBe(true);
    now += 60_000;
    expect(await gate.enterTrusted(k)).toBeNull();
    ticket?.accepted();
    expect(await gate.enterTrusted(k)).not.toBeNull();
    ticket?.refused();
    expect(await gate.enterTrusted(k)).toBeNull();
  });

  it('tells those who go at the same time that one of them was refused, and that it is over', async () => {
    const gate = new LogonGate();
    (await gate.enter(k, signal)).accepted();
    const [refused, other, third] = [
      await gate.enter(k, signal),
      await gate.enter(k, signal),
      await gate.enter(k, signal),
    ];
    expect([refused, other, third].map(({ isInDoubt }) => isInDoubt)).toEqual([
      false,
      false,
      false,
    ]);
    refused.refused();
    expect([other, third].map(({ isInDoubt }) => isInDoubt)).toEqual([true, true]);
    other.undecided();
    const alone = await gate.enter(k, signal);
    // It has its turn to find out.
    expect(alone.isInDoubt).toBe(false);
    alone.accepted();
    expect(third.isInDoubt).toBe(false);
  });

  it('turns everybody away after one refusal', async () => {
    const gate = new LogonGate();
    const first = await gate.enter(k, signal);
    const others = Array.from({ length: 49 }, () => gate.enter(k, signal));
    first.refused();
    for (const result of await Promise.allSettled(others)) {
      expect(result).toMatchObject({ status: 'rejected', reason: refusedError });
    }
    await expect(gate.enter(k, signal)).rejects.toEqual(refusedError);
  });

  it('passes the turn on, to one, when an attempt ends without a verdict', async () => {
    const gate = new LogonGate();
    const first = await gate.enter(k, signal);
    let inside = 0;
    const others = [1, 2].map(async () => {
      const ticket = await gate.enter(k, signal);
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
    (await gate.enter(k, signal)).accepted();
    (await gate.enter(k, signal)).refused();
    expect((await gate.enter(k, signal)).proven).toBe(true);
  });

  it('lets exactly one more in after the longest wait, and no third', async () => {
    const gate = new LogonGate({ maxWaitMs: 20 });
    (await gate.enter(k, signal)).lastLegSent();
    let inside = 0;
    const others = [1, 2, 3].map(async () => {
      const ticket = await gate.enter(k, signal);
      inside += 1;
      return ticket;
    });
    const second = await Promise.race(others);
    await wait(60);
    expect(inside).toBe(1);
    second.accepted();
    await Promise.all(others);
    expect(inside).toBe(3);
  });

  it('closes after two last legs that nobody answered, for 10 minutes', async () => {
    let now = 0;
    const gate = new LogonGate({ now: () => now });
    for (const count of [1, 2]) {
      const ticket = await gate.enter(k, signal);
      expect(ticket.proven, `turn ${count}`).toBe(false);
      ticket.lastLegSent();
      ticket.undecided();
    }
    await expect(gate.enter(k, signal)).rejects.toThrow(/did not answer CORP\\alice 2 times/);
    now = 10 * 60_000 + 1;
    (await gate.enter(k, signal)).accepted();
    expect((await gate.enter(k, signal)).proven).toBe(true);
  });

  it('does not count an attempt that ended before its last leg', async () => {
    const gate = new LogonGate();
    for (let count = 0; count < 5; count += 1) {
      (await gate.enter(k, signal)).undecided();
    }
    expect((await gate.enter(k, signal)).proven).toBe(false);
  });

  it('closes after three refusals in a row of a secret that was right once', async () => {
    const gate = new LogonGate();
    (await gate.enter(k, signal)).accepted();
    for (const count of [1, 2]) {
      const ticket = await gate.enter(k, signal);
      expect(ticket.proven, `turn ${count}`).toBe(true);
      ticket.refused();
    }
    (await gate.enter(k, signal)).accepted();
    for (let count = 0; count < 3; count += 1) {
      (await gate.enter(k, signal)).refused();
    }
    await expect(gate.enter(k, signal)).rejects.toThrow(/3 times in a row/);
  });

  it('lets one go first again a minute after the last acceptance', async () => {
    let now = 0;
    const gate = new LogonGate({ now: () => now });
    (await gate.enter(k, signal)).accepted();
    now = 59_999;
    await Promise.all([1, 2, 3].map(() => gate.enter(k, signal)));
    now = 60_001;
    const results = Array.from({ length: 20 }, async () => {
      (await gate.enter(k, signal)).refused();
    });
    const refused = (await Promise.allSettled(results)).filter(
      ({ status }) => status === 'fulfilled',
    );
    expect(refused).toHaveLength(3);
  });

  it('lets one at a time try a secret in doubt', async () => {
    const gate = new LogonGate();
    (await gate.enter(k, signal)).accepted();
    (await gate.enter(k, signal)).refused();
    const first = await gate.enter(k, signal);
    let inside = 0;
    const second = gate.enter(k, signal).then((ticket) => {
      inside += 1;
      return ticket;
    });
    await turn();
    expect(inside).toBe(0);
    first.accepted();
    expect((await second).proven).toBe(true);
  });

  it('stops waiting when the caller gives up', async () => {
    const gate = new LogonGate();
    await gate.enter(k, signal);
    const controller = new AbortController();
    const waiting = gate.enter(k, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('keeps realms, accounts and secrets apart, but not spellings of an account', async () => {
    const gate = new LogonGate();
    (await gate.enter(k, signal)).refused();
    for (const other of [logon('b'), logon('k', 'other.example'), { ...k, account: 'bob' }]) {
      expect((await gate.enter(other, signal)).proven).toBe(false);
    }
    await expect(gate.enter({ ...k, account: 'corp\\ALICE' }, signal)).rejects.toEqual(
      refusedError,
    );
  });

  it('says who refused, when, and what reopens the gate', async () => {
    let now = 1_000_000;
    const gate = new LogonGate({ now: () => now });
    (await gate.enter(k, signal)).refused();
    now += 5 * 60_000;
    await expect(
      gate.enter({ ...k, place: 'origin.corp.example:80' }, signal),
    ).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      message:
        'proxy.corp.example:3128 refused CORP\\alice 5 min ago; nothing was sent to origin.corp.example:80',
      hint: expect.stringContaining('sallyport retry URL'),
    });
  });

  it('opens again an hour after the operating system’s own sign-on was refused', async () => {
    let now = 1_000_000;
    const gate = new LogonGate({ now: () => now });
    (await gate.enter(logon(null), signal)).refused();
    (await gate.enter(k, signal)).refused();
    now += 60 * 60_000 - 1;
    await expect(gate.enter(logon(null), signal)).rejects.toEqual(refusedError);
    now += 1;
    expect((await gate.enter(logon(null), signal)).proven).toBe(false);
    await expect(gate.enter(k, signal)).rejects.toEqual(refusedError);
  });

  it('takes an acceptance of yesterday for no proof', async () => {
    let now = 1_000_000;
    const gate = new LogonGate({ now: () => now });
    (await gate.enter(k, signal)).accepted();
    now += 24 * 60 * 60_000;
    expect((await gate.enter(k, signal)).proven).toBe(false);
  });
});
