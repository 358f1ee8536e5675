// Where uploads end: an https server in a process of its own that counts what it gets and answers with the number. Tells its
// parent the address and ends with it.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createTestCertificates } from 'sallyport/testing';

/** What the parent is told. */
export interface SinkAddress {
  /** `https://127.0.0.1:port` */
  readonly url: string;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
}

process.on('disconnect', () => process.exit(0));
const certificates = createTestCertificates();
const server = createServer(certificates, count).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
process.send?.({ url: `https://127.0.0.1:${port}`, ca: certificates.ca } satisfies SinkAddress);

function count(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  request.on('end', () => response.end(String(bytes)));
  // A client that was stopped: its row tells.
  request.on('error', () => undefined);
}
