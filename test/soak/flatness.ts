// Whether a series is flat: the growth by its median slope, against a tolerance that is stated. Owns the arithmetic; measures
// nothing.

export interface Sample {
  /** Handshakes so far. */
  readonly at: number;
  readonly value: number;
}

/** Growth up to the larger of the two is no leak. */
export interface Tolerance {
  /** What a series may drift, however short: code that is compiled late, pages the allocator keeps. */
  readonly floor: number;
  readonly perHandshake: number;
}

export interface Flatness {
  /** From the first sample to the last, along the slope. */
  readonly growth: number;
  readonly allowed: number;
  readonly isFlat: boolean;
}

/**
 * The median of the slopes between all pairs (Theil and Sen): one odd window, or four of twenty, do not move it, and
 * it has no need of a known spread.
 *
 * @throws Error with fewer than 5 samples: a slope of nothing would pass
 */
export function judgeFlatness(samples: readonly Sample[], tolerance: Tolerance): Flatness {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 5) {
    throw new Error(`${samples.length} samples are too few for a slope`);
  }
  const span = last.at - first.at;
  const growth = medianSlope(samples) * span;
  const allowed = Math.max(tolerance.floor, tolerance.perHandshake * span);
  return { growth, allowed, isFlat: growth <= allowed };
}

function medianSlope(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((one, index) =>
    samples.slice(index + 1).map((other) => (other.value - one.value) / (other.at - one.at)),
  );
  slopes.sort((one, other) => one - other);
  const middle = slopes.length / 2;
  const [below = 0, above = 0] = [slopes[Math.ceil(middle) - 1], slopes[Math.floor(middle)]];
  return (below + above) / 2;
}
