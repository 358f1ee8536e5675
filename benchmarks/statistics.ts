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
