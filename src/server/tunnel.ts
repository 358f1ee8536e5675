// CONNECT: a tunnel to the target. Owns which ports it goes to, as any other request.
import type { Socket } from 'node:net';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { Target } from '../upstream/target.ts';
import { parseTarget } from '../upstream/target.ts';
import type { ConnectOptions } from '../upstream/upstream.ts';
import type { OwnAnswer } from './answers.ts';
import { page, proxyStatus } from './answers.ts';
import type { ClientRequest } from './client-request.ts';
import type { UpstreamDoor } from './upstream-door.ts';

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
  upstream: UpstreamDoor,
  way: ConnectOptions,
): Promise<Socket | OwnAnswer> {
  const target = targetIn(head.target);
  if (target === null) {
    return page(400, `CONNECT wants host:port, and got ${head.target.slice(0, 100)}`, [
      proxyStatus('http_request_error', 'CONNECT wants host:port'),
    ]);
  }
  return refuseClosedPort(target) ?? upstream.openTunnel(target, way);
}

/** @returns `null` for a port that is open */
export function refuseClosedPort({ port }: Target): OwnAnswer | null {
  if (!CLOSED_PORTS.has(port)) {
    return null;
  }
  return page(403, `Port ${port} is for mail servers, and closed here`, [
    proxyStatus('http_request_denied', `port ${port} is closed`),
  ]);
}

function targetIn(text: string): Target | null {
  try {
    return parseTarget(text);
  } catch (error) {
    if (isSallyportError(error)) {
      return null;
    }
    throw error;
  }
}
