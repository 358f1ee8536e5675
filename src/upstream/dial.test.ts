import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Trust } from './certificate-authorities.ts';
import { dialTcp, secure } from './dial.ts';

const peer = { role: 'origin', name: 'origin.example:443' } as const;
let server: Server;
let accepted: Socket | undefined;
let port = 0;

beforeEach(async () => {
  server = createServer((socket) => {
    accepted = socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterEach(async () => {
  accepted?.destroy();
  await new Promise((resolve) => server.close(resolve));
});

describe('secure()', () => {
  it('tells that the peer went while the authorities were read', async () => {
    let socket: Socket;
    const trust: Trust = {
      system: undefined,
      added: async () => [],
      files: async () => [],
      secureContext: async () => {
        const closed = new Promise((resolve) => socket.once('close', resolve));
        accepted?.resetAndDestroy();
        await closed;
        return createSecureContext();
      },
    };
    const options = { timeoutMs: 1000, signal: new AbortController().signal, trust };
    const arrived = new Promise((resolve) => server.once('connection', resolve));
    socket = await dialTcp('127.0.0.1', port, peer, options);
    await arrived;
    await expect(secure(socket, '127.0.0.1', peer, options)).rejects.toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringContaining('ECONNRESET'),
    });
  });

  it('tells that TLS was not finished in time', async () => {
    const trust = { secureContext: async () => createSecureContext() } as Trust;
    const options = { timeoutMs: 200, signal: new AbortController().signal, trust };
    const socket = await dialTcp('127.0.0.1', port, peer, options);
    const secured = secure(socket, '127.0.0.1', peer, options);
    await expect(secured).rejects.toMatchObject({ code: 'TIMEOUT', waitedFor: 'connection' });
  });
});

describe('dialTcp()', () => {
  const options = { timeoutMs: 5000, signal: new AbortController().signal, trust: {} as Trust };

  it.each(['127.0.0.1', 'localhost'])(
    'connects to no address of %s that is closed',
    async (host) => {
      let dialled = 0;
      server.on('connection', () => (dialled += 1));
      const mayReach = (): boolean => false;
      await expect(dialTcp(host, port, peer, { ...options, mayReach })).rejects.toMatchObject({
        code: 'CONNECT_FAILED',
        message: expect.stringContaining('ADDRESS_PROHIBITED'),
      });
      expect(dialled).toBe(0);
    },
  );

  it('connects to what is left of several', async () => {
    const mayReach = (address: string): boolean => address === '127.0.0.1';
    const socket = await dialTcp('localhost', port, peer, { ...options, mayReach });
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });
});
