// The word somebody may have meant. Owns the distance at which a guess is still one.

/** So many letters wrong, left out or too many; a swap of two counts two. */
const MOST_WRONG = 3;

/** The nearest of some words, whatever their case; `undefined` when none is near. */
export function nearestWord(typed: string, known: readonly string[]): string | undefined {
  const flat = flatten(typed.slice(0, 40));
  const [best] = known
    .map((word) => ({ word, wrong: distance(flat, flatten(word)) }))
    .sort((one, other) => one.wrong - other.wrong);
  const most = Math.min(MOST_WRONG, Math.floor(flat.length / 2));
  return best !== undefined && best.wrong <= most ? best.word : undefined;
}

/** `no_proxy` and `no-proxy` are `noProxy`. */
function flatten(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Levenshtein's. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
