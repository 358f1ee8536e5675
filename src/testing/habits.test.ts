import { describe, expect, it } from 'vitest';
import { Habits } from './habits.ts';

describe('Habits', () => {
  it('shows a habit for good, one with times so often, and no other', () => {
    const habits = new Habits(['http-1.0', { name: 'large-407', times: 2 }]);
    const thrice = (name: 'http-1.0' | 'large-407' | 'split-token') =>
      [1, 2, 3].map(() => habits.shows(name));

    expect(thrice('http-1.0')).toEqual([true, true, true]);
    expect(thrice('large-407')).toEqual([true, true, false]);
    expect(thrice('split-token')).toEqual([false, false, false]);
  });

  it('knows what was said about a habit, and what usually is', () => {
    const habits = new Habits([{ name: 'few-authenticators', children: 5 }, 'slow-drip']);

    expect(habits.parameters('few-authenticators')).toMatchObject({ children: 5, status: 503 });
    expect(habits.parameters('slow-drip')).toEqual({ bytes: 1, pauseMs: 50 });
    expect(habits.shows('few-authenticators')).toBe(true);
  });
});
