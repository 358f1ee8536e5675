// Accepts connections of its own and, on the port that is its argument, one of a program that is not Windows'; tells whose they are.
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { openOwnerLookup, ownUserId } from '../../../src/native/connection-owner.ts';
import type { LoopbackEnds } from '../../../src/native/loopback-ends.ts';
import { loopbackEnds } from '../../../src/native/loopback-ends.ts';

export interface OwnersOutcome {
  readonly own: string | null;
  /** By IPv4 and IPv6, of this very process. */
  readonly mine: readonly (string | null)[];
  readonly foreign: string | null;
  readonly closed: string | null;
}

void main();

async function main(): Promise<void> {
  const four = await serve('127.0.0.1', Number(process.argv[2]));
  const six = await serve('::1', 0);
  const foreign = await accepted(four);
  const mine = [await meet(four, '127.0.0.1'), await meet(six, '::1')];
  const closed = await meet(four, '127.0.0.1');
  const gone = once(closed.accepted, 'end');
  closed.accepted.resume();
  closed.client.destroy();
  await gone;
  using lookup = openOwnerLookup();
  const sockets = [foreign, closed.accepted, ...mine.map((pair) => pair.accepted)];
  const [foreignUser = null, closedUser = null, ...users] = await lookup.ask(
    sockets.map((socket) => loopbackEnds(socket) as LoopbackEnds),
  );
  const outcome: OwnersOutcome = {
    own: ownUserId(),
    mine: users,
    foreign: foreignUser,
    closed: closedUser,
  };
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit());
}

async function serve(host: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }).listen({ host, port, exclusive: true });
  await once(server, 'listening');
  return server;
}

async function accepted(server: Server): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.on('error', () => undefined);
  return socket;
}

async function meet(
  server: Server,
  host: string,
): Promise<{ readonly client: Socket; readonly accepted: Socket }> {
  const coming = accepted(server);
  const client = connect((server.address() as AddressInfo).port, host);
  return { client, accepted: await coming };
}
