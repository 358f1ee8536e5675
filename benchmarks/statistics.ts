// The few figures of a row. Owns no units.

/** Of the middle two the mean. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * @param share 0 to 1; between two values the line between them
 * @throws RangeError for no values: a figure of nothing is no figure
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  if (low === undefined || high === undefined) {
    throw new RangeError('No values');
  }
  return low + (high - low) * (place - Math.floor(place));
}

/** Half of the band in which the median of that many values lies in 19 of 20 cases, by their ranks: 0.98 of the root. */
const BAND = 0.98;

/**
 * Where the true median may lie, in 19 of 20 cases, whatever the values are distributed like.
 *
 * @throws RangeError for no values
 */
export function medianBand(values: readonly number[]): {
  readonly low: number;
  readonly high: number;
} {
  const reach = BAND / Math.sqrt(values.length);
  const at = (share: number): number => quantile(values, Math.min(Math.max(share, 0), 1));
  return { low: at(0.5 - reach), high: at(0.5 + reach) };
}
