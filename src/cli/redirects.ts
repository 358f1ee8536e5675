// Follows redirects of a download or upload. Owns which headers may go to the next host; credentials of the user never do.
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { RequestBody } from '../upstream/upload.ts';
import type { HttpResponse, Upstream } from '../upstream/upstream.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What may go along to another host; any other header may hold a secret of this one. */
const FOR_ANY_HOST = /^(?:accept(?:-.*)?|user-agent|range|if-.*|cache-control)$/i;
/** A page behind a redirect is read to this size, so that its signed-on connection can be used again. */
const MAX_PAGE_BYTES = 65_536;
const MAX_PAGE_MS = 1000;

export interface Outgoing {
  readonly method: string;
  readonly headers: readonly HeaderField[];
  readonly body: RequestBody | null;
}

export interface Following {
  /** Is called with each URL that is asked for. */
  readonly beforeRequest: (url: URL) => void;
  readonly signal: AbortSignal;
}

export interface Followed {
  readonly response: HttpResponse;
  readonly redirects: number;
  /** Requests on the wire, over all redirects. */
  readonly legs: number;
  readonly connections: number;
}

/**
 * Sends a request and follows its redirects.
 *
 * @throws SallyportError TOO_MANY_REDIRECTS, HTTP_STATUS, and all of `Upstream.request`
 */
export async function requestFollowing(
  upstream: Upstream,
  start: URL,
  first: Outgoing,
  { beforeRequest, signal }: Following,
): Promise<Followed> {
  let url = start;
  let outgoing = first;
  let legs = 0;
  let connections = 0;
  for (let redirects = 0; ; redirects += 1) {
    beforeRequest(url);
    const { method, headers, body } = outgoing;
    const options = { method, headers, signal, ...(body === null ? {} : { body }) };
    const response = await upstream.request(url, options);
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
    outgoing = redirected(outgoing, response.status, url, next);
    url = next;
  }
}

/** What goes to the next address (RFC 9110 section 15.4, in the form browsers gave it). */
function redirected({ method, headers, body }: Outgoing, status: number, from: URL, to: URL) {
  const isAboutBody = ([name]: HeaderField): boolean => /^content-/i.test(name);
  const fields = headers.filter(
    (field) => to.origin === from.origin || FOR_ANY_HOST.test(field[0]) || isAboutBody(field),
  );
  const becomesGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST';
  if (becomesGet) {
    return { method: 'GET', headers: fields.filter((field) => !isAboutBody(field)), body: null };
  }
  if (body instanceof Readable) {
    const query = to.search === '' ? '' : '?***';
    throw new SallyportError(
      'HTTP_STATUS',
      `${from.host} answered ${status} and sends the upload on to ${to.origin}${to.pathname}${query}, and it cannot be read twice`,
      { hint: 'Upload to that address, or upload a file.', status },
    );
  }
  return { method, headers: fields, body };
}

function nextUrl({ status, headers }: HttpResponse, from: URL): URL | null {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) {
    return null;
  }
  const next = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (next === null || !/^https?:$/.test(next.protocol)) {
    throw new SallyportError(
      'HTTP_STATUS',
      `${from.host} answered ${status}, a redirect to something that is not a web address`,
    );
  }
  next.username = '';
  next.password = '';
  return next;
}

/**
 * A tunnel serves one request anyway. A forwarded page is read so that its signed-on connection can
 * serve the next, but not for long.
 */
export async function discard({ body, route, url }: HttpResponse): Promise<void> {
  const isForwarded = route.kind === 'proxy' && url.startsWith('http:');
  let bytes = 0;
  body.on('error', () => undefined);
  body.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > MAX_PAGE_BYTES) {
      body.destroy();
    }
  });
  const timer = setTimeout(() => body.destroy(), isForwarded ? MAX_PAGE_MS : 0);
  await finished(body).catch(() => undefined);
  clearTimeout(timer);
}
