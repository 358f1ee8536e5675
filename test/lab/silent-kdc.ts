// A domain controller that takes every question and answers none, and one that is not there; with the krb5.conf that
// leads to it.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Listens on UDP and TCP of one port of 127.0.0.1. */
export async function silentKdc(): Promise<{ readonly port: number } & AsyncDisposable> {
  const open = new Set<Socket>();
  const tcp = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).resume();
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
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
