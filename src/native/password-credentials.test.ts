import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PasswordCredentials } from './password-credentials.ts';

describe('PasswordCredentials', () => {
  it('asks once for those who ask at the same time and after, but not for another password', async () => {
    let asked = 0;
    const credentials = new PasswordCredentials(() => undefined);
    const acquire = async () => BigInt(++asked);
    const lent = await Promise.all(
      ['a', 'a', 'b'].map((password) => credentials.take('alice', password, acquire)),
    );
    lent.push(await credentials.take('alice', 'a', acquire));
    expect(lent.map(({ handle }) => handle)).toEqual([1n, 1n, 2n, 1n]);
    for (const one of lent) {
      one.release();
    }
  });

  it('asks again after a refusal', async () => {
    const credentials = new PasswordCredentials(() => undefined);
    const refuse = () => Promise.reject(new Error('refused'));
    await expect(credentials.take('alice', 'a', refuse)).rejects.toThrow('refused');
    const { handle, release } = await credentials.take('alice', 'a', async () => 7n);
    expect(handle).toBe(7n);
    release();
  });

  it('frees a handle once, when its time is over and nobody uses it', async () => {
    const freed: bigint[] = [];
    const credentials = new PasswordCredentials((handle) => freed.push(handle), 10);
    const lent = await credentials.take('alice', 'a', async () => 1n);
    await pause(40);
    expect(freed).toEqual([]);
    lent.release();
    lent.release();
    expect(freed).toEqual([1n]);
    const next = await credentials.take('alice', 'a', async () => 2n);
    expect(next.handle).toBe(2n);
    next.release();
  });
});
