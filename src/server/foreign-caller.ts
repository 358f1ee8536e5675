// Requests for pages of our own that come from a web page of somebody else: a name that was made to lead here (DNS rebinding), or
// a script that posts to localhost. Owns that judgement; what is to be forwarded is not its matter.
import type { Socket } from 'node:net';
import type { RequestHead } from '../http1/head.ts';
import type { OwnAnswer } from './answers.ts';
import { page, proxyStatus } from './answers.ts';

/** @returns `null` for what a browser was told to open by hand, and for every request that is not for us */
export function refuseForeignCaller(
  { target, headers }: RequestHead,
  socket: Pick<Socket, 'localAddress' | 'localPort'>,
): OwnAnswer | null {
  if (!target.startsWith('/') && target !== '*') {
    return null;
  }
  const own = ownHosts(socket);
  const hosts = headers.all('host').map((host) => host.trim().toLowerCase());
  const origins = headers.all('origin').map((origin) => origin.trim().toLowerCase());
  const isOwn = hosts.length === 1 && own.has(hosts[0] ?? '');
  const isCalledByUs =
    origins.every((origin) => own.has(origin.replace(/^http:\/\//, ''))) && !isEmbedded(headers);
  if (isOwn && isCalledByUs) {
    return null;
  }
  return page(
    403,
    `Pages of this port are for http://127.0.0.1:${socket.localPort ?? 0} and no other name, and no other site may ask for them.`,
    [proxyStatus('http_request_denied', isOwn ? 'foreign Origin' : 'foreign Host')],
  );
}

/** A script or an image of another site sends no Origin; browsers tell all the same (W3C Fetch Metadata). A link is followed by hand. */
function isEmbedded(headers: RequestHead['headers']): boolean {
  const site = headers.first('sec-fetch-site')?.toLowerCase() ?? 'none';
  const isByHand =
    headers.first('sec-fetch-mode') === 'navigate' &&
    headers.first('sec-fetch-dest') === 'document';
  return site !== 'none' && site !== 'same-origin' && !isByHand;
}

/** An address cannot be made to lead elsewhere, a name can; localhost is nobody's. */
function ownHosts({
  localAddress = '127.0.0.1',
  localPort = 0,
}: Pick<Socket, 'localAddress' | 'localPort'>): ReadonlySet<string> {
  const address = localAddress.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  const literal = address.includes(':') ? `[${address}]` : address;
  const hosts = ['localhost', '127.0.0.1', '[::1]', literal];
  return new Set(
    hosts.flatMap((host) => (localPort === 80 ? [host, `${host}:80`] : [`${host}:${localPort}`])),
  );
}
