// What a local proxy costs that does nothing for it, for orientation, in a process of its own before a proxy without sign-on: `raw`
// hands bytes on, `http` is Node's own server and client. Tells its parent the address and ends with it.
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { connect, createServer } from 'node:net';

const [kind = '', upstream = ''] = process.argv.slice(2);
const port = Number(upstream);

process.on('disconnect', () => process.exit(0));
const server = kind === 'http' ? byHttp() : byBytes();
server.listen({ port: 0, host: '127.0.0.1', backlog: 511 });
await once(server, 'listening');
const address = server.address() as AddressInfo;
process.send?.({ url: `http://127.0.0.1:${address.port}` });

function byBytes(): Server {
  return createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    client.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => client.destroy()).pipe(client);
  });
}

function byHttp(): HttpServer {
  const agent = new Agent({ keepAlive: true });
  return createHttpServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const path = url ?? '/';
    const onward = request({ host: '127.0.0.1', port, agent, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
}
