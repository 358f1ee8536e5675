// Reads a socket as fast as Node can. Owns the buffer that all tunnels share; what becomes of the bytes is the caller's.
import { Socket } from 'node:net';

/**
 * @param bytes good until it returns true, or calls `goOn`
 * @returns false to be given no more until `goOn` is called
 */
export type TakeBytes = (bytes: Buffer, goOn: () => void) => boolean;

/** A socket that was taken over: from now on this one is used, and the old one closes with it. */
export interface BulkReader {
  readonly socket: Socket;
  /** Begins to read; once. */
  start(take: TakeBytes, end: () => void): void;
}

/** What libuv asks for; larger ones were no faster. */
const BUFFER_BYTES = 65_536;
/** Buffers that came back from tunnels that had to wait. */
const MAX_SPARE_BUFFERS = 16;

/** What a socket of Node has below it. No public name leads there, so each part is looked for before it is used. */
interface Handle {
  reading: boolean;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Node makes a new buffer of 64 KiB for each read, which is a third of a relay's work. Only a socket that begins with `onread`
 * spares it; so a plain one is begun once more on the connection it has. TLS, or a Node that has changed inside, is read by events.
 */
export function bulkReader(socket: Socket): BulkReader {
  const handle = plainHandle(socket);
  return handle === null ? byEvents(socket) : byBuffer(socket, handle);
}

let shared: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
const spare: Buffer[] = [];

/** The bytes in the shared buffer are still needed: others get another one. */
function lend(): () => void {
  const lent = shared;
  shared = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  return () => {
    if (spare.length < MAX_SPARE_BUFFERS) {
      spare.push(lent);
    }
  };
}

function byBuffer(old: Socket, handle: Handle): BulkReader {
  const early = readOut(old);
  handle.readStop();
  handle.reading = false;
  (old as { _handle?: unknown })._handle = null;
  let take: TakeBytes = () => true;
  const socket = new Socket({
    handle,
    allowHalfOpen: true,
    manualStart: true,
    onread: {
      buffer: () => shared,
      callback: (length: number, bytes: Buffer) => {
        let giveBack = (): void => undefined;
        const goesOn = take(bytes.subarray(0, length), () => {
          giveBack();
          socket.resume();
        });
        if (!goesOn) {
          giveBack = lend();
        }
        return goesOn;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  socket.once('close', () => old.destroy());
  old.once('close', () => socket.destroy());
  old.on('error', () => undefined);
  return {
    socket,
    start: (taking, end) => {
      take = taking;
      socket.once('end', end);
      // It may have been at its end already.
      old.once('end', end);
      if (early.length === 0 || take(early, () => socket.resume())) {
        socket.resume();
      }
    },
  };
}

function byEvents(socket: Socket): BulkReader {
  socket.allowHalfOpen = true;
  return {
    socket,
    start: (take, end) => {
      socket.once('end', end);
      socket.on('data', (bytes: Buffer) => {
        if (!take(bytes, () => socket.resume())) {
          socket.pause();
        }
      });
      socket.resume();
    },
  };
}

/** `null` for TLS, for a connection in the middle of something, and where Node is not as it was. */
function plainHandle(socket: Socket): Handle | null {
  const { _handle: handle } = socket as { _handle?: Partial<Handle> | null };
  const isPlain = Object.getPrototypeOf(socket) === Socket.prototype;
  const isKnown =
    typeof handle?.readStop === 'function' &&
    typeof handle.useUserBuffer === 'function' &&
    typeof handle.reading === 'boolean';
  const isAtRest = !(socket.destroyed || socket.readableEnded) && socket.writableLength === 0;
  return isPlain && isKnown && isAtRest && socket.writable ? (handle as Handle) : null;
}

function readOut(socket: Socket): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = socket.read(); piece !== null; piece = socket.read()) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
