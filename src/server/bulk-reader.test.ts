import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bulkReader } from './bulk-reader.ts';

/** Two ends of a connection. */
async function pair(): Promise<{ near: Socket; far: Socket; end: () => Promise<void> }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [[far]] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    once(near, 'connect'),
  ]);
  const end = async (): Promise<void> => {
    near.destroy();
    far.destroy();
    server.close();
    await once(server, 'close');
  };
  return { near, far, end };
}

describe('bulkReader()', () => {
  it('begins a plain socket once more, with what it had read, and closes the old one with it', async () => {
    const { near, far, end } = await pair();
    far.write('early ');
    await once(near, 'readable');
    const reader = bulkReader(near, far);
    expect(reader.socket).not.toBe(near);
    let text = '';
    const ended = new Promise<void>((resolve) => {
      reader.start((bytes) => {
        text += bytes.toString();
        return true;
      }, resolve);
    });
    far.end('late');
    await ended;
    expect(text).toBe('early late');
    const closed = once(near, 'close');
    reader.socket.end('answer');
    expect(String(await once(far, 'data'))).toBe('answer');
    await closed;
    await end();
  });

  it('leaves bytes alone that are held, whatever other sockets bring', async () => {
    const one = await pair();
    const two = await pair();
    const held: Buffer[] = [];
    const wait = (pile: Buffer[]) => (bytes: Buffer) => {
      pile.push(bytes);
      return false;
    };
    const other: Buffer[] = [];
    bulkReader(one.near, two.near).start(wait(held), () => undefined);
    bulkReader(two.near, one.near).start(wait(other), () => undefined);
    one.far.write('a'.repeat(1000));
    await expect.poll(() => held.length).toBe(1);
    two.far.write('b'.repeat(1000));
    await expect.poll(() => other.length).toBe(1);
    expect(String(held)).toBe('a'.repeat(1000));
    await one.end();
    await two.end();
  });

  it('takes a large buffer for a download whose other side is slow, too', async () => {
    const { near, far, end } = await pair();
    const sizes: number[] = [];
    bulkReader(near, far).start(
      (bytes, goOn) => {
        sizes.push(bytes.length);
        setImmediate(goOn);
        return false;
      },
      () => undefined,
    );
    far.write(Buffer.alloc(400_000));
    await expect.poll(() => sizes.reduce((sum, size) => sum + size, 0)).toBe(400_000);
    expect(Math.max(...sizes)).toBeGreaterThan(16_384);
    expect(sizes.length).toBeLessThan(100);
    await end();
  });

  it('reads a socket that has bytes to send by events, and misses none', async () => {
    const { near, far, end } = await pair();
    far.pause();
    while (near.write(Buffer.alloc(1_000_000))) {
      // Until the system takes no more.
    }
    const reader = bulkReader(near, far);
    expect(reader.socket).toBe(near);
    let text = '';
    reader.start(
      (bytes) => {
        text += bytes.toString();
        return true;
      },
      () => undefined,
    );
    far.write('all the same');
    await expect.poll(() => text).toBe('all the same');
    await end();
  });
});
