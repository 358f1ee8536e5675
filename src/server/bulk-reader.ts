// Reads a socket as fast as Node can. Owns the buffers, and whose they are; what becomes of the bytes is the caller's.
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

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

/** For a socket that says little: it has one of its own as long as it is open. */
const SMALL_BYTES = 1024;
/** For one that fills it so many times in a row. */
const MIN_FILLED = 32;
/** What libuv asks for; larger ones were no faster. */
const LARGE_BYTES = 65_536;
/** A large one goes back when a read brings less. */
const FEW_BYTES = 16_384;
/** In use: 16 MiB. Beyond these, sockets read into their small ones. */
const MAX_LARGE = 256;
/** Kept for the next that wants one. */
const MAX_SPARE = 16;

/** What a socket of Node has below it. No public name leads there, so each part is looked for before it is used. */
interface Handle {
  reading: boolean;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Node makes a new buffer of 64 KiB for each read, which is a third of a relay's work. Only a socket that begins with `onread`
 * spares it; so a plain one is begun once more on the connection it has. TLS, or a Node that has changed inside, is read by events.
 *
 * @param sink where the bytes will go
 */
export function bulkReader(socket: Socket, sink: Socket): BulkReader {
  // What TLS is to encrypt it holds for a while: a buffer of one's own would be waited for at each read.
  const handle = sink instanceof TLSSocket ? null : plainHandle(socket);
  return handle === null ? byEvents(socket) : byBuffer(socket, handle);
}

const spare: Buffer[] = [];
let largeInUse = 0;

/** The buffers of one socket. Nobody else's: a read may come at any moment, and what was read before may still be on its way out. */
class OwnBuffer {
  readonly #small: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #large: Buffer | null = null;
  #filled = 0;

  get current(): Buffer {
    return this.#large ?? this.#small;
  }

  /** So many bytes were read into it, and nobody needs them any more. */
  used(length: number): void {
    if (this.#large !== null && length < FEW_BYTES) {
      this.release(true);
      return;
    }
    this.filled(length);
  }

  /** As `used`, when the buffer of the next read is chosen already: it may become larger behind that, but is not given away. */
  filled(length: number): void {
    if (this.#large !== null) {
      return;
    }
    this.#filled = length === SMALL_BYTES ? this.#filled + 1 : 0;
    if (this.#filled >= MIN_FILLED && largeInUse < MAX_LARGE) {
      largeInUse += 1;
      this.#large = spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
    }
  }

  /** @param isFree whether nobody needs the bytes in it any more */
  release(isFree: boolean): void {
    if (this.#large === null) {
      return;
    }
    largeInUse -= 1;
    if (isFree && spare.length < MAX_SPARE) {
      spare.push(this.#large);
    }
    this.#large = null;
    this.#filled = 0;
  }
}

function byBuffer(old: Socket, handle: Handle): BulkReader {
  const early = readOut(old);
  handle.readStop();
  handle.reading = false;
  (old as { _handle?: unknown })._handle = null;
  let take: TakeBytes = () => true;
  const own = new OwnBuffer();
  let isHeld = false;
  let heldLength = 0;
  const goOn = (): void => {
    isHeld = false;
    own.filled(heldLength);
    socket.resume();
  };
  const socket = new Socket({
    handle,
    allowHalfOpen: true,
    manualStart: true,
    onread: {
      buffer: () => own.current,
      callback: (length: number, bytes: Buffer) => {
        heldLength = length;
        isHeld = !take(bytes.subarray(0, length), goOn);
        if (!isHeld) {
          own.used(length);
        }
        return !isHeld;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  socket.once('close', () => {
    own.release(!isHeld);
    old.destroy();
  });
  old.once('close', () => socket.destroy());
  old.on('error', () => undefined);
  return {
    socket,
    start: (taking, end) => {
      take = taking;
      socket.once('end', end);
      // It may have been at its end already.
      old.once('end', end);
      if (early.length === 0 || take(early, goOn)) {
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
