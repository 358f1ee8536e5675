import { describe, expect, it } from 'vitest';
import { clientLimits } from './descriptors.ts';

describe('clientLimits()', () => {
  it.each([
    [1024, 448, 32, 64],
    [20_000, 9000, 500, 1000],
    [1_048_576, 20_000, 26_214, 52_428],
    [100, 1, 32, 64],
  ])(
    'of %i descriptors serves %i clients, lets %i wait and %i leave',
    (limit, capacity, waiting, leaving) => {
      expect(clientLimits(limit)).toEqual({ capacity, waiting, leaving });
    },
  );

  it('knows an end where the system has none', () => {
    expect(clientLimits(null)).toEqual({
      capacity: 20_000,
      waiting: 2000,
      leaving: 2000,
    });
  });

  it('finds the limit of this process', () => {
    expect(clientLimits().capacity).toBeGreaterThan(0);
  });
});
