// Whether the proxy's port takes a connection, and how long that takes.
import { dialTcp } from '../../upstream/dial.ts';
import { dialOptions } from '../dial-proxy.ts';
import type { Check } from '../examination.ts';
import { finding } from '../findings.ts';

export const proxyTcpCheck: Check = {
  id: 'proxy-tcp',
  doing: 'connecting to the proxy',
  limitMs: 15_000,
  isOnTheWay: true,
  skip: (exam) => exam.withoutProxy,
  run: async (exam, signal) => {
    const { host = '', port = 0 } = exam.proxy ?? {};
    const name = exam.proxyName;
    const started = performance.now();
    const peer = { role: 'proxy', name } as const;
    const socket = await dialTcp(host, port, peer, dialOptions(exam, signal));
    const elapsedMs = Math.round(performance.now() - started);
    const address = socket.remoteAddress ?? host;
    socket.on('error', () => undefined).destroy();
    return [
      finding('proxy-tcp', 'ok', `${name} takes connections (${address}, ${elapsedMs} ms)`, {
        data: { address, port, elapsedMs },
      }),
    ];
  },
};
