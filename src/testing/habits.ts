// The bad habits of corporate proxies, each seen in the field. Owns their names, their documentation, their parameters
// and how often each shows. To add one: a row here, and one `shows('...')` where the proxy acts on it.

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
  'few-authenticators':
    'Has few authenticators, as squid with `children 3`: an unanswered challenge reserves one until the last leg or the end of the connection, and further first legs wait',
} as const;

export type HabitName = keyof typeof HABITS;

/** What can be said about some of the habits, beyond that they show. */
export interface HabitParameters {
  'few-authenticators': {
    /** Handshakes that can be under way at a time. */
    readonly children: number;
    /** How long a first leg waits for a free one, in milliseconds. */
    readonly waitMs: number;
    /** The answer to a first leg that has waited for so long; 407 comes with all offers. */
    readonly status: 503 | 407;
  };
}

const DEFAULTS: HabitParameters = {
  'few-authenticators': { children: 3, waitMs: 5_000, status: 503 },
};

type ParametersOf<Name extends HabitName> = Name extends keyof HabitParameters
  ? Partial<HabitParameters[Name]>
  : unknown;

/** A habit with what is said about it: `times` for its first so many occasions only, counted over all connections. */
export type DescribedHabit = {
  [Name in HabitName]: { readonly name: Name; readonly times?: number } & ParametersOf<Name>;
}[HabitName];

/** A habit for good and as it usually shows, or with what is said about it. */
export type Habit = HabitName | DescribedHabit;

/** The habits of one proxy. */
export class Habits {
  readonly #left = new Map<HabitName, number>();
  readonly #described = new Map<HabitName, DescribedHabit>();

  constructor(habits: readonly Habit[]) {
    for (const habit of habits) {
      const described: DescribedHabit = typeof habit === 'string' ? { name: habit } : habit;
      this.#left.set(described.name, described.times ?? Number.POSITIVE_INFINITY);
      this.#described.set(described.name, described);
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

  /** What was said about a habit, and the defaults for what was not. */
  parameters<Name extends keyof HabitParameters>(name: Name): HabitParameters[Name] {
    return { ...DEFAULTS[name], ...this.#described.get(name) };
  }
}
