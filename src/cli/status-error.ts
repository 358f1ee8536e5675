// What is said of an answer with an error status. Owns these words.
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseRetryAfter } from '../http1/retry-after.ts';
import { targetName } from '../upstream/target.ts';
import type { HttpResponse } from '../upstream/upstream.ts';

/** @throws SallyportError HTTP_STATUS, or the refusal of an origin that was answered */
export function checkStatus({ status, reason, url, route, refusal, headers }: HttpResponse): void {
  if (status >= 200 && status < 300) {
    return;
  }
  if (refusal !== null) {
    throw refusal;
  }
  const { host, hostname, protocol } = new URL(url);
  const answer = `${status} ${reason}`.trim();
  const about = { status, retryAfterMs: parseRetryAfter(headers['retry-after']) };
  if (route.kind === 'proxy' && protocol === 'http:' && MAY_BE_THE_PROXYS.has(status)) {
    throw new SallyportError(
      'HTTP_STATUS',
      `The answer for ${host} is ${answer}, by that server or by ${targetName(route.proxy)}`,
      { hint: forwardedHint(status), ...about },
    );
  }
  const hint: Record<number, string> = {
    400: 'Check the address: a server that wants https:// answers like this, too.',
    401: `That server wants a sign-on of its own: name it with --trusted ${hostname} for the signed-in user, or another user with --origin-user.`,
    403: 'That server forbids this address.',
    404: 'Check the address.',
    405: 'That server does not take this method there: name another with -X, or check the address.',
  };
  throw new SallyportError(
    'HTTP_STATUS',
    `${host} answered ${answer}`,
    hint[status] === undefined ? about : { hint: hint[status], ...about },
  );
}

/** What proxies answer by themselves to a request they were to forward. */
const MAY_BE_THE_PROXYS = new Set([400, 403, 500, 502, 503, 504]);

function forwardedHint(status: number): string {
  if (status === 400) {
    return 'Check the address: a server that wants https:// is answered like this, too.';
  }
  return status === 403
    ? 'The address is forbidden: ask the people who run the proxy, or that server.'
    : 'Check the address; the proxy may be unable to reach that server. Then ask the people who run the proxy, or that server.';
}
