// Reading and writing a socket by promises, with back-pressure. Owns the rule that no wait outlives the socket.
import type { Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';

/** Reads packets one by one, and takes back what belonged to the next message. */
export class SocketReader {
  readonly #socket: Duplex;
  #pushedBack: Buffer | null = null;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** The next bytes, or `null` once the other side has ended or the socket is gone. */
  async read(): Promise<Buffer | null> {
    const kept = this.takePushedBack();
    if (kept !== null) {
      return kept;
    }
    for (;;) {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk !== null) {
        return chunk;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) {
        return null;
      }
      await firstOf(this.#socket, ['readable', 'end', 'close']);
    }
  }

  /** Puts bytes back in front. A stream's own `unshift` refuses once the end was seen. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) {
      this.#pushedBack = bytes;
    }
  }

  /** What was put back and not read again. */
  takePushedBack(): Buffer | null {
    const kept = this.#pushedBack;
    this.#pushedBack = null;
    return kept;
  }
}

/** Writes and waits while the buffer is full. Returns `false` when the socket is gone. */
export async function writeTo(target: Writable, bytes: Uint8Array | string): Promise<boolean> {
  if (target.destroyed || target.writableEnded) {
    return false;
  }
  if (!target.write(bytes, 'latin1')) {
    await firstOf(target, ['drain', 'close']);
  }
  return !target.destroyed;
}

/** Reads and forgets until the other side has gone, answering nothing. */
export async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (!(socket.readableEnded || socket.destroyed)) {
    await firstOf(socket, ['end', 'close']);
  }
}

/** RST, as far as the socket can: TLS has only an abrupt end. */
export function reset(socket: Socket): void {
  if ('encrypted' in socket) {
    socket.destroy();
  } else {
    socket.resetAndDestroy();
  }
}

/** Resolves at the first of the events and leaves no listener behind. */
function firstOf(emitter: Duplex | Writable, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const event of events) {
        emitter.removeListener(event, settle);
      }
      resolve();
    };
    for (const event of events) {
      emitter.on(event, settle);
    }
  });
}
