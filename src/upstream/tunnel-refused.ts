// The error for a CONNECT that was answered with neither 2xx nor 407: what the status says about whose turn it is.
import { SallyportError } from '../errors/sallyport-error.ts';
import { parseRetryAfter } from '../http1/retry-after.ts';

/**
 * @param proxy `host:port`
 * @param target `host:port`
 * @returns PROXY_REFUSED
 */
export function tunnelRefused(
  proxy: string,
  target: string,
  {
    status,
    reason,
    headers,
  }: {
    readonly status: number;
    readonly reason: string;
    readonly headers: Readonly<Record<string, string>>;
  },
): SallyportError {
  return new SallyportError(
    'PROXY_REFUSED',
    `${proxy} refused to connect to ${target}: ${status} ${reason}`.trim(),
    { hint: hintFor(status), status, retryAfterMs: parseRetryAfter(headers['retry-after']) },
  );
}

function hintFor(status: number): string {
  if (status === 511 || (status >= 300 && status < 400)) {
    return 'It wants a page to be visited first, as guest networks do: open an http:// address in a browser, then try again.';
  }
  if (status === 429 || status === 503) {
    return 'It is busy, or cannot reach that address. Try again later; if it goes on, ask the people who run it.';
  }
  return 'The proxy forbids this address, or cannot reach it. Ask the people who run it.';
}
