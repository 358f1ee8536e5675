// Real connections; the look-up is written down, so that its questions can be counted.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { LoopbackEnds, OwnerLookup, UserId } from '../native/loopback-ends.ts';
import { PeerOwners } from './peer-owners.ts';

class CountingLookup implements OwnerLookup {
  readonly questions: number[] = [];
  isClosed = false;
  release: (() => void) | undefined;

  async ask(connections: readonly LoopbackEnds[]): Promise<readonly (UserId | null)[]> {
    this.questions.push(connections.length);
    if (this.questions.length === 1 && this.release !== undefined) {
      await new Promise<void>((resolve) => {
        this.release = resolve;
      });
    }
    return connections.map(({ peerPort }) => `user of ${peerPort}`);
  }

  [Symbol.dispose](): void {
    this.isClosed = true;
  }
}

async function withClients(count: number, test: (accepted: readonly Socket[]) => Promise<void>) {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  await expect.poll(() => accepted.length).toBe(count);
  try {
    await test(accepted);
  } finally {
    for (const socket of [...clients, ...accepted]) {
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  }
}

const userOf = (socket: Socket): string => `user of ${socket.remotePort}`;

describe('PeerOwners', () => {
  it('asks once for all that wait, and once per connection', async () => {
    const lookup = new CountingLookup();
    using owners = new PeerOwners(() => lookup);
    await withClients(20, async (accepted) => {
      const told = await Promise.all(accepted.map((socket) => owners.userOf(socket)));
      expect(told).toEqual(accepted.map(userOf));
      expect(lookup.questions).toEqual([20]);
      await Promise.all(accepted.map((socket) => owners.userOf(socket)));
      expect(lookup.questions).toEqual([20]);
    });
  });

  it('gathers those who come while the system is being asked', async () => {
    const lookup = new CountingLookup();
    lookup.release = () => undefined;
    using owners = new PeerOwners(() => lookup);
    await withClients(5, async ([first, ...others]) => {
      const told = [owners.userOf(first as Socket)];
      await expect.poll(() => lookup.questions).toEqual([1]);
      told.push(...others.map((socket) => owners.userOf(socket)));
      lookup.release?.();
      expect(await Promise.all(told)).toEqual([first as Socket, ...others].map(userOf));
      expect(lookup.questions).toEqual([1, 4]);
    });
  });

  it('opens the look-up with the first question, and closes it', async () => {
    let opened = 0;
    const lookup = new CountingLookup();
    const owners = new PeerOwners(() => {
      opened += 1;
      return lookup;
    });
    expect(opened).toBe(0);
    await withClients(1, async (accepted) => {
      await Promise.all(accepted.map((socket) => owners.userOf(socket)));
    });
    owners[Symbol.dispose]();
    expect([opened, lookup.isClosed]).toEqual([1, true]);
  });

  it('knows nobody where the system cannot be asked', async () => {
    using owners = new PeerOwners(() => {
      throw new Error('no FFI');
    });
    await withClients(1, async ([socket]) => {
      expect(await owners.userOf(socket as Socket)).toBeNull();
    });
  });
});
