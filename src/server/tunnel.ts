// CONNECT, and the upgrade of a WebSocket: a tunnel to the target, then bytes both ways. Owns which ports it goes to.
import type { Socket } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';
import { formatRequestHead } from '../http1/head.ts';
import type { Target } from '../upstream/target.ts';
import { parseTarget } from '../upstream/target.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { OwnAnswer } from './answers.ts';
import { page, proxyStatus } from './answers.ts';
import type { ClientRequest } from './client-request.ts';
import { endToEnd, VIA } from './hop-by-hop.ts';

/** Mail relays take anything that is written to them for mail: the one port every proxy keeps closed. */
const CLOSED_PORTS = new Set([25]);

/**
 * Opens what a CONNECT asks for.
 *
 * @returns the socket, or the answer for a target that is none or is closed
 * @throws SallyportError as `Upstream.openTunnel`
 */
export async function openForConnect(
  { head }: ClientRequest,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<Socket | OwnAnswer> {
  const target = targetIn(head.target);
  if (target === null) {
    return page(400, `CONNECT wants host:port, and got ${head.target}`, [
      proxyStatus('http_request_error', 'CONNECT wants host:port'),
    ]);
  }
  if (CLOSED_PORTS.has(target.port)) {
    return page(403, `Port ${target.port} is for mail servers, and closed here`, [
      proxyStatus('http_request_denied', `port ${target.port} is closed`),
    ]);
  }
  return upstream.openTunnel(target, { signal });
}

/** A request that changes the protocol needs a connection of its own to its origin, plain http through a tunnel, too. */
export async function openForUpgrade(
  { head }: ClientRequest,
  url: URL,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<Socket> {
  const port = url.port === '' ? 80 : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = await upstream.openTunnel({ host, port }, { signal });
  const upgrade = head.headers.first('upgrade') ?? '';
  const fields = endToEnd(head.headers).filter(([name]) => name.toLowerCase() !== 'host');
  socket.write(
    formatRequestHead({
      method: head.method,
      target: `${url.pathname}${url.search}`,
      headers: [
        ['Host', url.host],
        ...fields,
        ['Connection', 'Upgrade'],
        ['Upgrade', upgrade],
        VIA,
      ],
    }),
  );
  return socket;
}

function targetIn(text: string): Target | null {
  try {
    return parseTarget(text);
  } catch (error) {
    if (error instanceof SallyportError) {
      return null;
    }
    throw error;
  }
}
