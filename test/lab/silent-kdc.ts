// A domain controller that takes every question and answers none, and one that is not there; with the krb5.conf that
// leads to it.
import type { Socket as UdpSocket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';

// A port that is free on TCP may be somebody's on UDP; so often in a row it is not chance.
const PORT_TRIES = 20;

/** Listens on UDP and TCP of one port of 127.0.0.1. */
export async function silentKdc(): Promise<{ readonly port: number } & AsyncDisposable> {
  const open = new Set<Socket>();
  const { tcp, udp, port } = await freeOnBoth();
  tcp.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => undefined).resume();
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) {
        socket.destroy();
      }
      const ends = [once(tcp, 'close'), once(udp, 'close')];
      tcp.close();
      udp.close();
      await Promise.all(ends);
    },
  };
}

async function freeOnBoth(): Promise<{
  readonly tcp: Server;
  readonly udp: UdpSocket;
  readonly port: number;
}> {
  for (let tries = 1; ; tries += 1) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    try {
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return { tcp, udp, port };
    } catch (error) {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === PORT_TRIES) {
        throw error;
      }
    }
  }
}

/** A port of 127.0.0.1 where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Writes a krb5.conf whose only domain controller of the lab's realm is that port; returns its path. */
export function krb5Config(folder: string, port: number): string {
  const path = join(folder, `krb5-${port}.conf`);
  writeFileSync(
    path,
    `[libdefaults]
default_realm = CORP.EXAMPLE
dns_lookup_realm = false
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
[realms]
CORP.EXAMPLE = {
  kdc = 127.0.0.1:${port}
}
[domain_realm]
.corp.example = CORP.EXAMPLE
`,
  );
  return path;
}
