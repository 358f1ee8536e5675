// What is said when the gate is shut: who refused, when, that nothing was sent, and what opens it. Owns these words.
import { SallyportError } from '../../errors/sallyport-error.ts';
import type { LogonRequest } from './logon-request.ts';
import type { Standing } from './logon-standing.ts';

/** These very credentials were refused, by whatever process of this user. */
export function refusedBefore(
  { refusedAt, refusedBy }: Standing,
  { place, account, secret }: LogonRequest,
  now: number,
): SallyportError {
  const ends = secret === null ? 'after an hour' : 'when they change';
  return new SallyportError(
    'CREDENTIALS_REFUSED',
    `${refusedBy} refused ${account} ${agoOf(now - refusedAt)}; nothing was sent to ${place}`,
    {
      hint: `So that the account is not locked, the same credentials are tried again only ${ends}, or at once after: sallyport retry URL, with the same --proxy if you gave one.`,
    },
  );
}

/** A secret that was right once is in doubt: refused several times in a row. */
export function inDoubt(
  { strikes, refusedBy }: Standing,
  { place, account }: LogonRequest,
): SallyportError {
  const elsewhere = refusedBy === place ? '' : ` to ${place} either`;
  return new SallyportError(
    'CREDENTIALS_REFUSED',
    `${refusedBy} did not accept ${account} (${strikes} times in a row); these credentials are not sent for 10 min${elsewhere}`,
    {
      hint: 'The password may have changed, or the proxy denies these URLs. Sign in elsewhere to find out; sallyport retry URL lets them be sent at once.',
    },
  );
}

/** Last legs of this process were sent and never answered: each may have been a wrong logon. */
export function unanswered({ place, account }: LogonRequest, times: number): SallyportError {
  return new SallyportError(
    'CREDENTIALS_REFUSED',
    `${place} did not answer ${account} ${times} times in a row; this program does not send these credentials for 10 min`,
    {
      hint: `Tell the people who run ${place}: it breaks off the sign-on, or takes too long for it.`,
    },
  );
}

function agoOf(ms: number): string {
  const [unit, name] = (
    [
      [86_400_000, 'd'],
      [3_600_000, 'h'],
      [60_000, 'min'],
    ] as const
  ).find(([size]) => ms >= size) ?? [1000, 's'];
  const count = Math.floor(ms / unit);
  return count <= 0 ? 'a moment ago' : `${count} ${name} ago`;
}
