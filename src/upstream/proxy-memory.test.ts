import { describe, expect, it } from 'vitest';
import { ProxyMemory } from './proxy-memory.ts';

describe('ProxyMemory', () => {
  it('remembers what worked, per host, until it is refused', () => {
    const memory = new ProxyMemory(() => 0);
    memory.learn('a', 'ntlm');
    expect([memory.preferred('a'), memory.preferred('b')]).toEqual(['ntlm', null]);
    memory.setAside('a', 'basic');
    expect(memory.preferred('a')).toBe('ntlm');
    memory.setAside('a', 'ntlm');
    expect(memory.preferred('a')).toBeNull();
  });

  it('tries a refused mechanism again after 10 minutes', () => {
    let now = 0;
    const memory = new ProxyMemory(() => now);
    memory.setAside('a', 'negotiate-ntlm');
    now = 10 * 60_000 - 1;
    expect([...memory.asideAt('a')]).toEqual(['negotiate-ntlm']);
    now += 2;
    expect([...memory.asideAt('a')]).toEqual([]);
  });
});
