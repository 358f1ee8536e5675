// A page through a tunnel by Node's own HTTP client, and the end of the tunnel by one side or the other. Owns who closes.
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectResult } from '../../src/upstream/upstream.ts';
import { expectBytes } from './content.ts';
import type { Random } from './random.ts';

const MAX_BYTES = 60_000;

/**
 * @returns who ended it: `closed by them`, `closed by us`, or `closed by us half-way`
 * @throws Error `tunnel broke` when the connection ends before the answer does
 */
export async function getThrough(
  { socket, head }: ConnectResult,
  origin: string,
  random: Random,
): Promise<string> {
  socket.unshift(head);
  const length = random.between(1, MAX_BYTES);
  const closing = random.pick(['them', 'us', 'us half-way']);
  try {
    const answer = await ask(socket, `${origin}/bytes/${length}`, closing === 'them');
    if (closing === 'us half-way') {
      for await (const _ of answer) {
        break;
      }
    } else {
      await expectBytes(answer, length);
    }
  } catch (error) {
    throw isBreak(error) ? new Broken() : error;
  } finally {
    closing === 'them' && !socket.errored ? await closed(socket) : socket.destroy();
  }
  return `closed by ${closing}`;
}

class Broken extends Error {
  override toString(): string {
    return 'tunnel broke';
  }
}

function ask(socket: Socket, url: string, lastOne: boolean): Promise<IncomingMessage> {
  const { host, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    get({
      createConnection: () => socket,
      path: pathname,
      headers: { host, connection: lastOne ? 'close' : 'keep-alive' },
    })
      .on('response', (answer) => resolve(answer.on('error', () => undefined)))
      .on('error', reject);
  });
}

function isBreak(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNABORTED'].includes(code);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.closed ? resolve() : socket.once('close', () => resolve());
  });
}
