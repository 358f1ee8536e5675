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
});
