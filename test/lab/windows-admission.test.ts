// Whose a connection is, as Wine's iphlpapi.dll and tokens tell the Windows build of Node.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ensureLab } from './lab.ts';
import type { OwnersOutcome } from './windows/connection-owners.ts';
import { runOnWindows } from './windows.ts';

const lab = await ensureLab();

describe.skipIf(!lab.available)('on Windows', () => {
  it.each(['20', '22'] as const)('Node %s tells whose a connection is', async (node) => {
    const port = await freePort();
    const run = runOnWindows({
      node,
      program: 'test/lab/windows/connection-owners.ts',
      args: [String(port)],
    });
    const [result, client] = await Promise.all([run, connectWhenThere(port, run)]);
    client?.destroy();
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const outcome = JSON.parse(result.stdout) as OwnersOutcome;
    expect(outcome.own).toMatch(/^S-1-5-21-/);
    // Wine 8 has the rows of IPv6, and 0 for their processes: nobody.
    expect(outcome.mine).toEqual([outcome.own, null]);
    // A program that Windows does not know is nobody.
    expect(outcome.foreign).toBeNull();
    expect(outcome.closed).toBeNull();
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @returns `null` when the other side ended first */
async function connectWhenThere(port: number, end: Promise<unknown>): Promise<Socket | null> {
  let hasEnded = false;
  void end.then(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('close', () => resolve(false));
    });
    if (isOpen) {
      return socket;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return null;
}
