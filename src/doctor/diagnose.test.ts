import { describe, expect, it } from 'vitest';
import { SallyportError } from '../errors/sallyport-error.ts';
import { resolveSettings } from '../upstream/settings.ts';
import { diagnose } from './diagnose.ts';
import type { Check } from './examination.ts';
import { finding } from './findings.ts';

const url = new URL('https://example.com/');
const settings = resolveSettings({ proxy: 'direct', env: {} });
const run = async (checks: readonly Check[], totalMs = 1000) =>
  diagnose(url, await settings, { isAsked: true, checks, totalMs });

function check(parts: Partial<Check>): Check {
  return {
    id: 'platform',
    doing: 'looking',
    limitMs: 500,
    isOnTheWay: false,
    skip: () => null,
    run: async () => [finding('platform', 'ok', 'Seen')],
    ...parts,
  };
}

const failing = (isOnTheWay: boolean) =>
  check({
    id: 'proxy-tcp',
    isOnTheWay,
    run: () => Promise.reject(new SallyportError('PROXY_UNREACHABLE', 'No way', { hint: 'Dig.' })),
  });
/** Ends only when it is told to. */
const endless = check({
  run: (_exam, signal) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    ),
});

describe('diagnose()', () => {
  it('goes on behind a check that fails, and tells its error', async () => {
    const { findings } = await run([failing(false), check({})]);
    expect(findings).toEqual([
      expect.objectContaining({
        ...{ id: 'proxy-tcp', layer: 'proxy-tcp', status: 'problem', title: 'No way' },
        ...{ code: 'PROXY_UNREACHABLE', next: 'Dig.' },
      }),
      expect.objectContaining({ status: 'ok' }),
    ]);
  });

  it('takes the verdict from the first failure on the way, and from no other', async () => {
    const late = check({ isOnTheWay: true, run: () => Promise.reject(new Error('later')) });
    expect((await run([failing(true), late])).verdict).toMatchObject({
      ...{ works: false, code: 'PROXY_UNREACHABLE', outcome: 'no-proxy', next: 'Dig.' },
    });
    expect((await run([failing(false)])).verdict.works).toBe(null);
  });

  it('calls what nobody foresaw a fault of its own', async () => {
    const broken = check({ isOnTheWay: true, run: () => Promise.reject(new TypeError('x is y')) });
    expect((await run([broken])).verdict).toMatchObject({ code: 'UNEXPECTED', blame: 'us' });
  });

  it('gives up a check whose time is over, and ends its signal', async () => {
    const { findings } = await run([{ ...endless, limitMs: 20 }, check({})]);
    expect(findings.map(({ status, code }) => code ?? status)).toEqual(['TIMEOUT', 'ok']);
  });

  it('is done within its whole time, however many checks hang', async () => {
    const started = performance.now();
    const { findings } = await run([endless, endless, endless, endless], 50);
    expect(findings.map(({ code }) => code)).toEqual(Array(4).fill('TIMEOUT'));
    expect(findings[3]?.title).toBe('No time was left for looking');
    expect(performance.now() - started).toBeLessThan(400);
  });

  it('says why a check was skipped', async () => {
    const { findings } = await run([check({ skip: () => 'it rains' })]);
    expect(findings).toMatchObject([{ status: 'skipped', title: 'Not looked at: it rains' }]);
  });
});
