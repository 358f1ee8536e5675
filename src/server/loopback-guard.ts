// What clients of other machines may not ask for: the services of this one that listen on loopback. Owns that judgement: by how
// the target is written, and, where it is connected to from here, by the address a name resolves to.
import { BlockList, isIP } from 'node:net';
import type { RequestHead } from '../http1/head.ts';
import { allowedNetworks } from './allowed-networks.ts';
import type { OwnAnswer } from './answers.ts';
import { page, proxyStatus } from './answers.ts';

const LOOPBACK = allowedNetworks([]);
const UNSPECIFIED = new BlockList();
UNSPECIFIED.addAddress('0.0.0.0', 'ipv4');
UNSPECIFIED.addAddress('::', 'ipv6');

/** Whether a client is on this machine, and may ask for everything. */
export function isOnThisMachine(remoteAddress: string | undefined): boolean {
  return LOOPBACK.has(remoteAddress);
}

/** @returns `null` for a target that is open to clients of other machines */
export function keepFromLoopback({ target }: RequestHead): OwnAnswer | null {
  if (!isOnLoopback(hostIn(target))) {
    return null;
  }
  return page(
    403,
    `${target} is a service of the machine Sallyport runs on, and closed to other machines`,
    [proxyStatus('http_request_denied', 'loopback is closed to other machines')],
  );
}

/** Whether an address that was found for a name is open to clients of other machines. */
export function isOpenToOthers(address: string): boolean {
  return !isOnLoopback(address);
}

/** Lower case, numbers in any of the forms a resolver takes made plain. */
function hostIn(target: string): string {
  const url = /^https?:\/\//i.test(target) ? target : `http://${target}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}

function isOnLoopback(host: string): boolean {
  if (isIP(host) !== 0) {
    return LOOPBACK.has(host) || UNSPECIFIED.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
  }
  return /(?:^|\.)localhost\.?$/.test(host);
}
