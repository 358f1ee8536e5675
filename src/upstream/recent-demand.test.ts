import { describe, expect, it } from 'vitest';
import { RecentDemand } from './recent-demand.ts';

describe('RecentDemand', () => {
  let now = 0;
  const demandAt = (...times: readonly number[]): RecentDemand => {
    const demand = new RecentDemand(() => now);
    for (const time of times) {
      now = time;
      demand.asked();
    }
    return demand;
  };

  it('is nothing for one alone', () => {
    expect(demandAt(0).atOnce).toBe(0);
    expect(demandAt(0, 5000).atOnce).toBe(1);
  });

  it('is the most that came within a second', () => {
    expect(demandAt(0, 10, 999, 1000, 1500).atOnce).toBe(3);
  });

  it('is forgotten after 30 s', () => {
    const demand = demandAt(0, 1, 2, 20_000);
    now = 29_999;
    expect(demand.atOnce).toBe(3);
    now = 30_000;
    expect(demand.atOnce).toBe(0);
    expect(demand.quietMs).toBe(10_000);
  });
});
