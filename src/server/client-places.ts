// How many clients are served at the same time. Owns who waits, who is told that all is full, and which idle connection is
// ended for somebody who wants to work.
import type { Socket } from 'node:net';

/** A client's place, from its first byte to its end. */
export interface Place {
  /** True once the proxy is to end: this request is the last of its connection. */
  readonly isClosing: boolean;
  /** Between two requests: it may be ended when others wait. */
  rests(): void;
  works(): void;
}

/** A connection without a request for so long is ended when others wait; a younger one may have its request on the way. */
const REST_MS = 1000;
/** So many times that are waited for it; whoever waits longer is better told. */
const MAX_WAITS = 5;

interface Waiting {
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

export interface PlaceOptions {
  /** Served at the same time. */
  readonly capacity: number;
  /** As many more may wait. */
  readonly waiting: number;
  /** So many who were turned away may take their time to read it; beyond them the longest there is closed. */
  readonly leaving: number;
  readonly serve: (socket: Socket, place: Place) => void;
  readonly turnAway: (socket: Socket) => void;
}

export class ClientPlaces {
  readonly #options: PlaceOptions;
  readonly #clients = new Set<Socket>();
  /** Those that rest, the longest first. */
  readonly #resting = new Map<Socket, number>();
  readonly #queue = new Set<Waiting>();
  readonly #leaving = new Set<Socket>();
  #isClosing = false;
  #quietSince = performance.now();

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /** Serves it now, or when somebody has gone. */
  enter(socket: Socket): void {
    if (this.#clients.size < this.#options.capacity) {
      this.#seat(socket);
      return;
    }
    if (this.#queue.size >= this.#options.waiting || this.#isClosing) {
      this.#turnAway(socket);
      return;
    }
    this.#wait(socket);
    this.#endRested();
  }

  /** How many are served or wait, and for how long there has been nobody, in milliseconds. */
  get activity(): { readonly clients: number; readonly quietMs: number } {
    const clients = this.#clients.size + this.#queue.size;
    return { clients, quietMs: clients > 0 ? 0 : performance.now() - this.#quietSince };
  }

  /** Ends those that rest and those that wait; who works comes to the end of its request. */
  close(): void {
    this.#isClosing = true;
    for (const socket of this.#resting.keys()) {
      this.#endResting(socket);
    }
    for (const waiting of this.#queue) {
      this.#giveUp(waiting);
    }
  }

  #seat(socket: Socket): void {
    this.#clients.add(socket);
    socket.once('close', () => this.#leave(socket));
    const isClosing = (): boolean => this.#isClosing;
    this.#options.serve(socket, {
      get isClosing() {
        return isClosing();
      },
      rests: () => this.#rests(socket),
      works: () => void this.#resting.delete(socket),
    });
  }

  #rests(socket: Socket): void {
    if (socket.destroyed) {
      return;
    }
    this.#resting.set(socket, performance.now());
    if (this.#isClosing) {
      this.#endResting(socket);
    }
  }

  /** Of its last answer a part may still be on its way to a slow reader. */
  #endResting(socket: Socket): void {
    if (socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    socket.write('', () => {
      if (this.#resting.has(socket)) {
        socket.destroy();
      }
    });
  }

  /** A connection that rests may be closed at any time, and clients know it; not before it has all of its answer. */
  #endRested(): void {
    const now = performance.now();
    for (const [socket, since] of this.#resting) {
      if (now - since < REST_MS) {
        return;
      }
      if (socket.writableLength === 0) {
        socket.destroy();
        return;
      }
    }
  }

  #leave(socket: Socket): void {
    this.#clients.delete(socket);
    this.#resting.delete(socket);
    this.#quietSince = performance.now();
    const [next] = this.#queue;
    if (next !== undefined) {
      this.#queue.delete(next);
      clearInterval(next.timer);
      this.#seat(next.socket);
    }
  }

  #wait(socket: Socket): void {
    let waits = 0;
    const timer = setInterval(() => {
      waits += 1;
      waits < MAX_WAITS ? this.#endRested() : this.#giveUp(waiting);
    }, REST_MS);
    const waiting: Waiting = { socket, timer };
    this.#queue.add(waiting);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearInterval(timer);
      this.#queue.delete(waiting);
    });
  }

  #giveUp(waiting: Waiting): void {
    clearInterval(waiting.timer);
    this.#queue.delete(waiting);
    this.#turnAway(waiting.socket);
  }

  #turnAway(socket: Socket): void {
    this.#options.turnAway(socket);
    this.#leaving.add(socket);
    socket.once('close', () => this.#leaving.delete(socket));
    const [longest] = this.#leaving;
    if (this.#leaving.size > this.#options.leaving) {
      longest?.destroy();
    }
  }
}
