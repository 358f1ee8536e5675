import { describe, expect, it } from 'vitest';
import { SallyportError } from '../errors/sallyport-error.ts';
import { ProxyMemory } from './proxy-memory.ts';

describe('ProxyMemory', () => {
  it('remembers what worked, per host, until it is refused', () => {
    const memory = new ProxyMemory(() => 0);
    const ntlm = { mechanism: 'ntlm', proof: 'password' } as const;
    memory.learn('a', ntlm);
    expect([memory.preferred('a'), memory.preferred('b')]).toEqual([ntlm, null]);
    memory.setAside('a', 'basic', null);
    expect(memory.preferred('a')).toEqual(ntlm);
    memory.setAside('a', 'ntlm', null);
    expect(memory.preferred('a')).toBeNull();
  });

  it('tries a refused mechanism again after 10 minutes', () => {
    let now = 0;
    const memory = new ProxyMemory(() => now);
    const cause = new SallyportError('SPN_UNKNOWN');
    memory.setAside('a', 'negotiate-ntlm', cause);
    now = 10 * 60_000 - 1;
    expect([...memory.asideAt('a')]).toEqual([['negotiate-ntlm', cause]]);
    now += 2;
    expect([...memory.asideAt('a')]).toEqual([]);
  });

  it.each(['TICKET_MISSING', 'TICKET_EXPIRED'] as const)(
    'looks for a new ticket again after 5 s: %s',
    (code) => {
      let now = 0;
      const memory = new ProxyMemory(() => now);
      expect(memory.setAside('a', 'negotiate', new SallyportError(code))).toBe(5000);
      now = 4999;
      expect([...memory.asideAt('a').keys()]).toEqual(['negotiate']);
      now = 5000;
      expect([...memory.asideAt('a').keys()]).toEqual([]);
    },
  );

  it('takes two refusals of a ticket that worked for denied URLs, the third for the ticket', () => {
    const memory = new ProxyMemory(() => 0);
    expect(memory.doubtTicket('a')).toBe(false);
    memory.learn('a', { mechanism: 'negotiate', proof: 'ticket' });
    expect([1, 2, 3].map(() => memory.doubtTicket('a'))).toEqual([true, true, false]);
  });
});
