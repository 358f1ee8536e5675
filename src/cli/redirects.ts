// Follows redirects of a download. Owns which headers may go to the next host; credentials of the user never do.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { HttpResponse, Upstream } from '../upstream/upstream.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Headers a user gives for one host and no other. */
const FOR_ONE_HOST = new Set(['authorization', 'cookie', 'proxy-authorization']);

export interface Followed {
  readonly response: HttpResponse;
  readonly redirects: number;
  /** Requests on the wire, over all redirects. */
  readonly legs: number;
  readonly connections: number;
}

/**
 * Sends a GET and follows its redirects.
 *
 * @param beforeRequest is called with each URL that is asked for
 * @throws SallyportError TOO_MANY_REDIRECTS, URL_INVALID, and all of `Upstream.request`
 */
export async function getFollowing(
  upstream: Upstream,
  start: URL,
  headers: readonly HeaderField[],
  beforeRequest: (url: URL) => void,
): Promise<Followed> {
  let url = start;
  let fields = headers;
  let legs = 0;
  let connections = 0;
  for (let redirects = 0; ; redirects += 1) {
    beforeRequest(url);
    const response = await upstream.request(url, { headers: fields });
    legs += response.legs;
    connections += response.connections;
    const next = nextUrl(response, url);
    if (next === null) {
      return { response, redirects, legs, connections };
    }
    await discard(response);
    if (redirects === MAX_REDIRECTS) {
      throw new SallyportError(
        'TOO_MANY_REDIRECTS',
        `${start.host} sent more than ${MAX_REDIRECTS} redirects, the last to ${next.host}`,
      );
    }
    fields = next.origin === url.origin ? fields : fields.filter(([name]) => !isForOneHost(name));
    url = next;
  }
}

function nextUrl({ status, headers }: HttpResponse, from: URL): URL | null {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) {
    return null;
  }
  const next = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (next === null || !/^https?:$/.test(next.protocol)) {
    throw new SallyportError(
      'URL_INVALID',
      `${from.host} redirects to something that is not a web address`,
    );
  }
  next.username = '';
  next.password = '';
  return next;
}

function isForOneHost(name: string): boolean {
  return FOR_ONE_HOST.has(name.toLowerCase());
}

/** A short page is read so that its connection can be used again; a long one is cut. */
async function discard({ body }: HttpResponse): Promise<void> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += (piece as Buffer).length;
    if (bytes > 65_536) {
      return;
    }
  }
}
