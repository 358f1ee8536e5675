import { describe, expect, it } from 'vitest';
import type { Status } from './status-page.ts';
import { statusPage } from './status-page.ts';

const QUIET: Status = {
  now: 1_000_000,
  uptimeMs: 90_061_000,
  routes: [['https://', 'http://proxy.test:3128 (from --proxy)']],
  schemes: ['negotiate', 'ntlm'],
  signOns: [],
  breakers: [],
  counts: {
    clientsOpen: 1,
    clients: 2,
    tunnelsOpen: 3,
    tunnels: 4,
    bytesUp: 999,
    bytesDown: 1_500_000,
  },
  logLinesDropped: 7,
  configuration: 'none',
};

describe('statusPage()', () => {
  it('is one page without anything from elsewhere', () => {
    const page = statusPage(QUIET);
    expect(page).toContain('http://proxy.test:3128 (from --proxy)');
    expect(page).toContain('1 d 1 h');
    expect(page).toContain('999 B');
    expect(page).toContain('1.5 MB');
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|@import/);
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, to]) => to?.startsWith('/'))).toBe(true);
  });

  it('lets no name become markup', () => {
    const evil = '<img src=x onerror=alert(1)>&';
    const page = statusPage({
      ...QUIET,
      configuration: evil,
      routes: [['https://', evil]],
      signOns: [{ layer: 'proxy', host: evil, scheme: evil, outcome: 'accepted', at: 0 }],
      breakers: [{ account: evil, realm: evil, state: 'open' }],
    });
    expect(page).not.toContain('<img');
    expect(page.split('&lt;img src=x onerror=alert(1)&gt;&amp;')).toHaveLength(7);
  });

  it('stays short', () => {
    const breakers = Array.from({ length: 1000 }, (_, at) => ({
      account: `a${at}`,
      realm: 'r',
      state: 'open' as const,
    }));
    const page = statusPage({ ...QUIET, breakers });
    expect(page).toContain('and 951 more');
    expect(page.length).toBeLessThan(20_000);
  });
});
