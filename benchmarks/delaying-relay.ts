// Distance on loopback: a TCP relay that holds every byte back as a line of a given round-trip time would. Owns delay, order
// and back-pressure; it understands nothing of what passes, but tells who wants to look.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Sees the bytes of one connection as they are handed on, after their delay. */
export interface Onlooker {
  fromClient(bytes: Buffer): void;
  fromServer(bytes: Buffer): void;
}

export interface DelayingRelayOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** In milliseconds; 0 hands on at once. */
  readonly rttMs: number;
  /** Called for each connection that was accepted. */
  readonly watch?: () => Onlooker;
}

export interface DelayingRelay extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** What one direction may hold in flight: 4 MiB each 10 ms are 400 MB/s. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Timers are whole milliseconds: what is due within half of one goes now, so that the mean error is about zero. */
const EARLY_MS = 0.5;

/**
 * Listens on a free port of 127.0.0.1. Each direction is delayed by half of the round-trip time; a connection carries
 * its first byte one round trip after it was accepted, which is what the TCP handshake takes over a distance.
 */
export async function createDelayingRelay(options: DelayingRelayOptions): Promise<DelayingRelay> {
  const open = new Set<Socket>();
  // A client that closes its half may still be owed an answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const far = connect({ ...options.target, allowHalfOpen: true, noDelay: true });
    for (const socket of [client, far]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    join(client, far, options);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of open) {
      socket.destroy();
    }
    if (server.listening) {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  };
  const { port } = server.address() as AddressInfo;
  return { host: HOST, port, close, [Symbol.asyncDispose]: close };
}

function join(client: Socket, far: Socket, { rttMs, watch }: DelayingRelayOptions): void {
  const onlooker = watch?.();
  const timing = { delayMs: rttMs / 2, opensAt: performance.now() + rttMs };
  const there = new DelayLine(client, far, timing, (bytes) => onlooker?.fromClient(bytes));
  const back = new DelayLine(far, client, timing, (bytes) => onlooker?.fromServer(bytes));
  const fall = (): void => {
    there.stop();
    back.stop();
    client.destroy();
    far.destroy();
  };
  // A reset is passed on at once: nobody measures one.
  client.on('error', fall);
  far.on('error', fall);
}

interface Timing {
  readonly delayMs: number;
  /** Nothing leaves before this, whichever direction. */
  readonly opensAt: number;
}

/** One direction. */
class DelayLine {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #timing: Timing;
  readonly #show: (bytes: Buffer) => void;
  /** `null` stands for the end. */
  readonly #flying: { readonly due: number; readonly bytes: Buffer | null }[] = [];
  #flyingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;

  constructor(from: Socket, to: Socket, timing: Timing, show: (bytes: Buffer) => void) {
    this.#from = from;
    this.#to = to;
    this.#timing = timing;
    this.#show = show;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take(null));
    to.on('drain', () => {
      this.#isBlocked = false;
      this.#release();
    });
    to.on('close', () => this.stop());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flying.length = 0;
  }

  #take(bytes: Buffer | null): void {
    const { delayMs, opensAt } = this.#timing;
    this.#flying.push({ due: Math.max(performance.now(), opensAt) + delayMs, bytes });
    this.#flyingBytes += bytes?.length ?? 0;
    if (this.#flyingBytes > WINDOW_BYTES) {
      this.#from.pause();
    }
    if (this.#timer === undefined) {
      this.#release();
    }
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (!this.#isBlocked && !this.#to.destroyed) {
      const next = this.#flying[0];
      if (next === undefined) {
        break;
      }
      const leftMs = next.due - performance.now();
      if (leftMs > EARLY_MS) {
        this.#timer = setTimeout(() => this.#release(), Math.max(1, Math.round(leftMs)));
        break;
      }
      this.#flying.shift();
      this.#hand(next.bytes);
    }
    if (this.#flyingBytes <= WINDOW_BYTES && this.#from.isPaused()) {
      this.#from.resume();
    }
  }

  #hand(bytes: Buffer | null): void {
    if (bytes === null) {
      this.#to.end();
      return;
    }
    this.#flyingBytes -= bytes.length;
    this.#isBlocked = !this.#to.write(bytes);
    this.#show(bytes);
  }
}
