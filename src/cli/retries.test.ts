import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../errors/codes.ts';
import { ERROR_CODES } from '../errors/codes.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import { describeRefusal, waitAfter } from './retries.ts';

const NEVER = Object.entries(ERROR_CODES)
  .filter(([, { outcome }]) => outcome === 'credentials-refused' || outcome === 'usage')
  .map(([code]) => code as ErrorCode);

describe('waitAfter()', () => {
  it.each(NEVER)('never tries again after %s', (code) => {
    expect(waitAfter(new SallyportError(code), 1)).toBeNull();
  });

  it('doubles the wait, up to a minute', () => {
    const failure = new SallyportError('CONNECTION_LOST');
    const waits = [1, 2, 3, 7, 8, 500].map((tries) => waitAfter(failure, tries, () => 1));
    expect(waits).toEqual([1000, 2000, 4000, 60_000, 60_000, 60_000]);
  });

  it('scatters it', () => {
    expect(waitAfter(new SallyportError('TIMEOUT'), 1, () => 0)).toBe(750);
  });

  it.each([
    [0, 0],
    [120_000, 120_000],
    [120_001, null],
  ])('heeds a server that asks for %d ms', (retryAfterMs, expected) => {
    const busy = new SallyportError('HTTP_STATUS', 'busy', { status: 503, retryAfterMs });
    expect(waitAfter(busy, 1)).toBe(expected);
  });

  it.each([
    ['ECONNRESET', 1000],
    ['SELF_SIGNED_CERT_IN_CHAIN', null],
    ['CERT_HAS_EXPIRED', null],
    ['ERR_SSL_WRONG_VERSION_NUMBER', null],
  ])('takes TLS that ended by %s for what it is', (code, expected) => {
    const cause = Object.assign(new Error('x'), { code });
    for (const name of ['TLS_FAILED', 'PROXY_TLS_FAILED'] as const) {
      expect(waitAfter(new SallyportError(name, 'x', { cause }), 1, () => 1)).toBe(expected);
    }
  });

  it.each([
    ['PROXY_REFUSED', 403, null],
    ['PROXY_REFUSED', 503, 1000],
    ['HTTP_STATUS', 404, null],
    ['HTTP_STATUS', 504, 1000],
  ] as const)('judges %s by its status %d', (code, status, expected) => {
    expect(waitAfter(new SallyportError(code, 'x', { status }), 1, () => 1)).toBe(expected);
  });

  it('leaves faults of its own alone', () => {
    expect(waitAfter(new TypeError('x is not a function'), 1)).toBeNull();
  });
});

describe('describeRefusal()', () => {
  it('tells a wait that is too long from what does not pass', () => {
    const busy = new SallyportError('HTTP_STATUS', 'x', { status: 503, retryAfterMs: 3_600_000 });
    expect(describeRefusal(busy)).toBe('the server asks to wait 3600 s, which is too long');
    expect(describeRefusal(new SallyportError('USAGE'))).toBe('trying again would not help');
  });
});
