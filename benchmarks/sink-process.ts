// Where uploads end: web servers, http and https, in a process of their own that count what they get and answer with the
// number. Tells its parent the addresses and ends with it.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createTestCertificates } from 'sallyport/testing';

/** What the parent is told. */
export interface SinkAddresses {
  /** Base URLs without a trailing slash. */
  readonly http: string;
  readonly https: string;
  /** PEM of the authority of the second. */
  readonly ca: string;
}

const certificates = createTestCertificates();
process.on('disconnect', () => process.exit(0));
process.send?.({
  http: `http://127.0.0.1:${await listen(createServer(count))}`,
  https: `https://127.0.0.1:${await listen(createTlsServer(certificates, count))}`,
  ca: certificates.ca,
} satisfies SinkAddresses);

function count(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  request.on('end', () => response.end(String(bytes)));
  // A client that was stopped: its row tells.
  request.on('error', () => undefined);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
