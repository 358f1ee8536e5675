// Real connections, and what this kernel says of them.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LinuxOwners } from './linux-owners.ts';
import type { LoopbackEnds } from './loopback-ends.ts';
import { loopbackEnds } from './loopback-ends.ts';
import { findInProcNet } from './proc-net-tcp.ts';
import { SockDiag } from './sock-diag.ts';

const OWN = String(process.geteuid?.());
const stages: AsyncDisposable[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage[Symbol.asyncDispose]()));
});

async function pairs(host: string, count: number) {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket));
  server.listen({ host, port: 0, backlog: 1000 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  stages.push({
    [Symbol.asyncDispose]: async () => {
      for (const socket of [...accepted, ...clients]) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  });
  for (let index = 0; index < count; index += 1) {
    const client = connect(port, host);
    clients.push(client);
    await once(client, 'connect');
  }
  await expect.poll(() => accepted.length).toBe(count);
  return { clients, ends: accepted.map((socket) => loopbackEnds(socket) as LoopbackEnds) };
}

describe.skipIf(process.platform !== 'linux')('LinuxOwners', () => {
  it.each(['127.0.0.1', '::1'])('tells whose the clients of %s are, many at once', async (host) => {
    const { ends } = await pairs(host, 150);
    using owners = new LinuxOwners();
    expect(new Set(await owners.ask(ends))).toEqual(new Set([OWN]));
  });

  it('says nothing of a client that has closed: the kernel would call it root’s', async () => {
    const { clients, ends } = await pairs('127.0.0.1', 2);
    using owners = new LinuxOwners();
    clients[0]?.destroy();
    clients[1]?.end();
    await expect.poll(() => owners.ask(ends)).toEqual([null, OWN]);
  });

  it('says nothing of a connection that is not there', async () => {
    const { ends } = await pairs('127.0.0.1', 1);
    using owners = new LinuxOwners();
    const other = ends.map((one) => ({ ...one, ownPort: one.ownPort === 1 ? 2 : 1 }));
    expect(await owners.ask([...other, ...ends])).toEqual([null, OWN]);
  });
});

describe.skipIf(process.platform !== 'linux')('SockDiag', () => {
  it('says what /proc/net/tcp says', async () => {
    const [four, six] = [await pairs('127.0.0.1', 3), await pairs('::1', 3)];
    const ends = [...four.ends, ...six.ends];
    using diag = new SockDiag();
    expect(diag.find(ends)).toEqual(await findInProcNet(ends));
    expect(diag.find(ends).every((owner) => owner?.uid === Number(OWN))).toBe(true);
  });
});
