import { describe, expect, it } from 'vitest';
import { tunnelRefused } from './tunnel-refused.ts';

describe('tunnelRefused()', () => {
  it.each([
    [302, 'Found', /page to be visited first/],
    [511, 'Network Authentication Required', /page to be visited first/],
    [503, 'Service Unavailable', /busy/],
    [403, 'Forbidden', /forbids this address/],
    [502, '', /cannot reach it/],
  ])('%i: says whose turn it is', (status, reason, hint) => {
    const headers = { 'retry-after': '7' };
    const error = tunnelRefused('proxy.test:3128', 'a.test:443', { status, reason, headers });

    expect(error).toMatchObject({
      ...{ code: 'PROXY_REFUSED', hint: expect.stringMatching(hint) },
      ...{ status, retryAfterMs: 7000 },
    });
    expect(error.message).toBe(
      `proxy.test:3128 refused to connect to a.test:443: ${status} ${reason}`.trim(),
    );
  });
});
