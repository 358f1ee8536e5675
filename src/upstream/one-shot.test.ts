import { describe, expect, it } from 'vitest';
import { createUpstream } from './one-shot.ts';

describe('createUpstream()', () => {
  it.each([65, -1, 1.5, Number.NaN])('refuses warm: %s', async (warm) => {
    await expect(createUpstream({ warm, env: {} })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('warm'),
    });
  });

  it.each([0, 32, undefined])('takes warm: %s', async (warm) => {
    const options = warm === undefined ? {} : { warm };
    await using upstream = await createUpstream({ ...options, env: {} });
    expect(upstream.routeFor(new URL('http://example.com/')).kind).toBe('direct');
  });
});
