// A connection to the proxy of an examination: each check opens its own and ends it, so that none depends on another.
import { Connection } from '../upstream/connection.ts';
import type { DialOptions } from '../upstream/dial.ts';
import { dialTcp, secure } from '../upstream/dial.ts';
import { targetName } from '../upstream/target.ts';
import type { Examination } from './examination.ts';

/**
 * TCP, and TLS for an https proxy.
 *
 * @throws SallyportError PROXY_UNREACHABLE, PROXY_TLS_FAILED, TIMEOUT, or the reason of the signal
 */
export async function dialProxy(exam: Examination, signal: AbortSignal): Promise<Connection> {
  const { proxy } = exam;
  if (proxy === null) {
    throw new TypeError('no proxy to dial');
  }
  const peer = { role: 'proxy', name: targetName(proxy) } as const;
  const options = dialOptions(exam, signal);
  const socket = await dialTcp(proxy.host, proxy.port, peer, options);
  const spoken =
    proxy.scheme === 'https' ? await secure(socket, proxy.host, peer, options) : socket;
  return new Connection(spoken, peer);
}

export function dialOptions({ settings }: Examination, signal: AbortSignal): DialOptions {
  const { connectTimeoutMs: timeoutMs, trust } = settings;
  return { timeoutMs, signal, trust };
}
