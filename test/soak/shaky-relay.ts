// A relay before a proxy that fails as networks do: each connection has a fate of its own, drawn when it is accepted. Owns
// the fates; reads nothing of what passes.
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Random } from './random.ts';

type Fate =
  | { readonly does: 'pass' }
  /** At the n-th packet, which is lost. */
  | { readonly does: 'reset' | 'close'; readonly from: 'client' | 'proxy'; readonly packet: number }
  /** Once nothing has come from either side for so long. */
  | { readonly does: 'drop-idle'; readonly afterMs: number };

/** Listens on loopback until the process ends. @returns its port */
export function openShakyRelay(port: number, random: Random): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const proxy = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    befall(client, proxy, fateOf(random));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function fateOf(random: Random): Fate {
  const share = random.next();
  if (share < 0.35) {
    return { does: 'pass' };
  }
  if (share < 0.55) {
    return { does: 'drop-idle', afterMs: random.between(2, 40) };
  }
  const from = random.chance(0.5) ? 'client' : 'proxy';
  return { does: random.chance(0.6) ? 'reset' : 'close', from, packet: random.between(1, 5) };
}

function befall(client: Socket, proxy: Socket, fate: Fate): void {
  const end = (): void => {
    client.destroy();
    proxy.destroy();
  };
  for (const socket of [client, proxy]) {
    socket.on('error', end).on('close', end);
  }
  if (fate.does === 'drop-idle') {
    client.setTimeout(fate.afterMs, end);
  }
  carry(client, proxy, fate, 'client');
  carry(proxy, client, fate, 'proxy');
}

function carry(from: Socket, to: Socket, fate: Fate, side: 'client' | 'proxy'): void {
  let packets = 0;
  from.on('data', (packet: Buffer) => {
    packets += 1;
    const isDue =
      (fate.does === 'reset' || fate.does === 'close') &&
      fate.from === side &&
      fate.packet === packets;
    if (!isDue) {
      to.write(packet);
      return;
    }
    const client = side === 'client' ? from : to;
    fate.does === 'reset' ? client.resetAndDestroy() : client.end();
    (side === 'client' ? to : from).destroy();
  });
  from.on('end', () => to.end());
}
