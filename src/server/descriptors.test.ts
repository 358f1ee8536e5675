import { describe, expect, it } from 'vitest';
import { clientLimits } from './descriptors.ts';

describe('clientLimits()', () => {
  it.each([
    [1024, 448, 32],
    [20_000, 9000, 500],
    [1_048_576, 20_000, 26_214],
    [100, 1, 32],
  ])('of %i descriptors serves %i clients and lets %i wait', (limit, capacity, waiting) => {
    expect(clientLimits(limit)).toEqual({ capacity, waiting });
  });

  it('knows an end where the system has none', () => {
    expect(clientLimits(null)).toEqual({ capacity: 20_000, waiting: 2000 });
  });

  it('finds the limit of this process', () => {
    expect(clientLimits().capacity).toBeGreaterThan(0);
  });
});
