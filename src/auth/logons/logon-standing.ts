// What is known of one (account, secret) in one realm, and what a verdict makes of it. Pure: owns the rules of
// docs/decisions/logon-gate.md, which hold within a process and between processes alike.

/** Times are milliseconds of the wall clock: other processes read them. */
export interface Standing {
  readonly verdict: 'unproven' | 'proven' | 'refused';
  readonly acceptedAt: number;
  readonly refusedAt: number;
  /** `host:port` that refused last. */
  readonly refusedBy: string;
  /** Refusals in a row since the last acceptance. */
  readonly strikes: number;
  readonly closedUntil: number;
}

export const UNPROVEN: Standing = {
  verdict: 'unproven',
  acceptedAt: 0,
  refusedAt: 0,
  refusedBy: '',
  strikes: 0,
  closedUntil: 0,
};

/**
 * Refusals in a row of a secret that was accepted before. Each may be a URL that is denied, or a
 * password that was changed: the answers are alike.
 */
const MAX_DOUBTS = 3;
/**
 * How long after an acceptance any number may sign on at once; then one goes first again: passwords
 * are changed while programs run.
 */
const TRUSTED_MS = 60_000;
/** Then nothing is sent for so long; accounts forget wrong passwords in about that time. */
export const CLOSED_MS = 10 * 60_000;
/** An acceptance older than this proves nothing any more. */
const PROVEN_MS = 24 * 60 * 60_000;
/** A refused password is remembered this long, or until it changes. */
const REFUSED_MS = 30 * 24 * 60 * 60_000;
/** The operating system's own password changes without our knowing. */
const SIGN_ON_REFUSED_MS = 60 * 60_000;

export function accept(now: number): Standing {
  return { ...UNPROVEN, verdict: 'proven', acceptedAt: now };
}

export function refuse(standing: Standing, now: number, place: string): Standing {
  const refused = { ...standing, refusedAt: now, refusedBy: place };
  if (standing.verdict !== 'proven') {
    return { ...refused, verdict: 'refused' };
  }
  const strikes = standing.strikes + 1;
  const closedUntil = strikes >= MAX_DOUBTS ? now + CLOSED_MS : standing.closedUntil;
  return { ...refused, strikes, closedUntil };
}

/**
 * The standing as it counts now. A time that lies as far ahead as it would be outdated behind was written by a wrong
 * clock.
 *
 * @param isSignOn the secret is the operating system's own
 */
export function aged(standing: Standing, now: number, isSignOn: boolean): Standing {
  const { verdict, acceptedAt, refusedAt } = standing;
  const [since, limit] = {
    unproven: [now, 1],
    proven: [acceptedAt, PROVEN_MS],
    refused: [refusedAt, isSignOn ? SIGN_ON_REFUSED_MS : REFUSED_MS],
  }[verdict] as [number, number];
  return Math.abs(now - since) >= limit ? UNPROVEN : standing;
}

/** Whether any number may sign on at once. */
export function isTrusted({ verdict, strikes, acceptedAt }: Standing, now: number): boolean {
  return verdict === 'proven' && strikes === 0 && Math.abs(now - acceptedAt) < TRUSTED_MS;
}

/** Whether nothing is sent for now: too many doubts. */
export function isClosed({ closedUntil }: Standing, now: number): boolean {
  return now < closedUntil && closedUntil - now <= CLOSED_MS;
}

/** Whether there is nothing to find out: everybody may go, or nobody. */
export function isDecided(standing: Standing, now: number): boolean {
  return standing.verdict === 'refused' || isClosed(standing, now) || isTrusted(standing, now);
}
