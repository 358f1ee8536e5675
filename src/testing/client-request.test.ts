import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { readRequest } from './client-request.ts';
import { SocketReader } from './socket-io.ts';

describe('readRequest()', () => {
  it('reads requests and bodies one behind the other, however they are cut', async () => {
    const wire =
      'POST http://a.test/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello' +
      'PUT http://a.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' +
      'GET http://a.test/ HTTP/1.0\r\n\r\n';
    for (const size of [1, 7, 64, wire.length]) {
      expect(await requestsOf(wire, size)).toEqual([
        ['POST', 'hello'],
        ['PUT', 'abc'],
        ['GET', ''],
      ]);
    }
  });

  it('leaves the bytes behind a CONNECT for the tunnel', async () => {
    const reader = readerOf('CONNECT a.test:443 HTTP/1.1\r\nContent-Length: 9\r\n\r\n\x16\x03');
    const request = await readRequest(reader);

    expect(request?.body.isDone).toBe(true);
    expect(reader.takePushedBack()?.toString('latin1')).toBe('\x16\x03');
  });

  it.each([
    ['CONNECTION_LOST', 'GET / HTTP/1.1\r\n'],
    ['HEAD_TOO_LARGE', `GET / HTTP/1.1\r\nX: ${'x'.repeat(65_536)}`],
    ['RESPONSE_INVALID', 'GET / HTTP/2.0\r\n\r\n'],
    ['RESPONSE_INVALID', 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n'],
    ['RESPONSE_INVALID', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['RESPONSE_INVALID', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    [
      'RESPONSE_INVALID',
      'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
  ])('throws %s for %j', async (code, wire) => {
    const error = await readRequest(readerOf(wire)).catch((reason: unknown) => reason);

    expect(isSallyportError(error) && error.code).toBe(code);
  });

  it('throws CONNECTION_LOST when the client ends within a body', async () => {
    const request = await readRequest(readerOf('POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel'));

    await expect(request?.body.drain()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(request?.body.bytes).toBe(3);
  });
});

async function requestsOf(wire: string, packetSize: number): Promise<string[][]> {
  const reader = readerOf(wire, packetSize);
  const found: string[][] = [];
  for (let request = await readRequest(reader); request; request = await readRequest(reader)) {
    const parts: Buffer[] = [];
    for await (const piece of request.body) {
      parts.push(piece);
    }
    found.push([request.head.method, Buffer.concat(parts).toString()]);
  }
  return found;
}

/** Packets come one by one, each only when the one before was read. */
function readerOf(wire: string, packetSize = wire.length): SocketReader {
  const socket = new PassThrough({ highWaterMark: 1 });
  const packets = Array.from({ length: Math.ceil(wire.length / packetSize) }, (_, index) =>
    Buffer.from(wire.slice(index * packetSize, (index + 1) * packetSize), 'latin1'),
  );
  for (const packet of packets) {
    socket.write(packet);
  }
  socket.end();
  return new SocketReader(socket);
}
