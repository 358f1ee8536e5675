// The bad habits of corporate proxies, each seen in the field. Owns their names, their documentation and how
// often each shows. To add one: a row here, and one `shows('...')` where the proxy acts on it.

/** Every habit by name. More than one may be asked for; those that contradict each other show as far as they can. */
export const HABITS = {
  'close-on-first-407':
    'Closes the connection behind the 407 to a request without credentials (curl test 547)',
  'close-after-challenge':
    'Closes the connection behind the challenge: NTLM cannot come to an end (curl test 159)',
  'chunked-407': 'Every 407 body is chunked, with a trailer field (curl test 1061)',
  'large-407': 'Every 407 body has 70 KB (curl test 1008)',
  'close-delimited-407':
    'A 407 without a token has neither length nor chunks: its body ends with the connection',
  'http-1.0': 'Answers as HTTP/1.0, kept open by Connection and Proxy-Connection (curl test 213)',
  'one-line-offers':
    'All schemes stand in one Proxy-Authenticate line, separated by commas, with parameters between',
  'early-bytes':
    'Waits up to 250 ms for the first bytes of a tunnel’s origin and sends them in one packet with the 200',
  'split-token': 'A head with a token arrives in four packets, two of the cuts within the token',
  '407-for-blocked': 'A blocked URL is answered by 407 with all offers, after a good sign-on, too',
  'reset-after-first-leg': 'Resets the connection when the first leg of a handshake arrives',
  'reset-after-final-leg': 'Resets the connection when the last leg of a handshake arrives',
} as const;

export type HabitName = keyof typeof HABITS;

/** A habit for good, or only on its first `times` occasions, counted over all connections. */
export type Habit = HabitName | { readonly name: HabitName; readonly times: number };

/** The habits of one proxy. */
export class Habits {
  readonly #left = new Map<HabitName, number>();

  constructor(habits: readonly Habit[]) {
    for (const habit of habits) {
      const { name, times } =
        typeof habit === 'string' ? { name: habit, times: Number.POSITIVE_INFINITY } : habit;
      this.#left.set(name, times);
    }
  }

  /** Tells whether the habit shows now, and counts the occasion. */
  shows(name: HabitName): boolean {
    const left = this.#left.get(name) ?? 0;
    if (left <= 0) {
      return false;
    }
    this.#left.set(name, left - 1);
    return true;
  }
}
