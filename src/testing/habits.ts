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
  'silent-to-request': 'Never answers a request without credentials',
  'silent-after-first-leg': 'Never answers the first leg of a handshake',
  'silent-after-final-leg': 'Never answers the last leg of a handshake',
  'cut-answer':
    'Breaks off within an answer of the sign-on, behind any byte of it: by a reset, a close, or by silence',
  'slow-drip': 'Heads, and the bodies of its own pages, drip byte by byte',
  'large-head': 'Every head has 5 MB of header fields',
  'blank-lines': 'Two empty lines stand in front of every head',
  'odd-reason': 'Every head has no reason phrase, or a strange one',
  'surplus-bytes': 'A 407 body is longer than its Content-Length says',
  'padded-token': 'Tokens end in ====, whatever their length',
  'decoy-offers':
    'Schemes stand in front that only look like one, a malformed one, and one with a parameter twice (curl tests 69 and 91)',
  'lower-case-schemes': 'Scheme names are written in lower case',
  'basic-first': 'Basic is offered in front of everything else',
  'strips-strong-schemes':
    'Offers Basic alone, as somebody in the middle would who wants to read the password',
  'no-target-info': 'The NTLM challenge has no target information, as from old servers',
  'no-timestamp': 'The NTLM challenge has no timestamp: the client adds its own, and no MIC',
  'both-charsets': 'The NTLM challenge flags UNICODE and OEM at once (MS-NLMP 4.2.4.3)',
  'request-bound': 'Signs a request on, not its connection: the next request is asked again',
  'connection-cap': 'A signed-on user may have so many connections, and no further one',
  'closes-idle': 'Closes a connection that has no request for one second',
  'refuses-reuse': 'Refuses CONNECT on a connection that was signed on by an earlier request',
  'redirects-connect': 'Answers CONNECT by a redirect to a page of its own',
  'captive-portal':
    'Answers everything by a page of its own, as a guest network does before its terms are accepted',
  'passes-407': 'Passes the 407 of an origin on, its offers included, as if it were its own',
  'few-authenticators':
    'Has few authenticators, as squid with `children 3`: an unanswered challenge reserves one until the last leg or the end of the connection, and further first legs wait',
} as const;

export type HabitName = keyof typeof HABITS;

/** The answers of a sign-on: the bare 407, the one with a token, and the one to the last leg. */
export type SignOnAnswer = 'offers' | 'challenge' | 'verdict';

/** What can be said about some of the habits, beyond that they show. */
export interface HabitParameters {
  'large-407': { readonly bytes: number };
  'cut-answer': {
    /** Which one: to a request without credentials, to the first leg, to the last. */
    readonly answer: SignOnAnswer;
    /** So many bytes of it arrive, page included. */
    readonly bytes: number;
    readonly by: 'reset' | 'close' | 'silence';
  };
  'slow-drip': {
    /** Bytes at a time. */
    readonly bytes: number;
    /** Between them, in milliseconds. */
    readonly pauseMs: number;
  };
  'large-head': { readonly bytes: number };
  'odd-reason': {
    /** `null` leaves out the space before it, too. */
    readonly reason: string | null;
  };
  'surplus-bytes': { readonly text: string };
  'connection-cap': {
    readonly connections: number;
    readonly refusal: 403 | 503 | 'close';
  };
  'closes-idle': { readonly afterMs: number };
  'refuses-reuse': { readonly refusal: 403 | 400 | 'close' };
  'captive-portal': { readonly status: 200 | 302 | 511 };
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
  'large-407': { bytes: 70 * 1024 },
  'cut-answer': { answer: 'challenge', bytes: 0, by: 'reset' },
  'slow-drip': { bytes: 1, pauseMs: 50 },
  'large-head': { bytes: 5_242_880 },
  'odd-reason': { reason: null },
  'surplus-bytes': { text: '\r\n\r\n' },
  'connection-cap': { connections: 2, refusal: 403 },
  'closes-idle': { afterMs: 1_000 },
  'refuses-reuse': { refusal: 403 },
  'captive-portal': { status: 200 },
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
      if (typeof habit === 'string') {
        this.#left.set(habit, Number.POSITIVE_INFINITY);
        continue;
      }
      this.#left.set(habit.name, habit.times ?? Number.POSITIVE_INFINITY);
      this.#described.set(habit.name, habit);
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
