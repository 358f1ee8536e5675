// A client of the local proxy on a bare socket, for tunnels and for what is no proper request. Owns its socket and reading on it.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export interface Head {
  readonly status: number;
  readonly text: string;
}

export class TunnelClient implements Disposable {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, piece]);
      this.#wake();
    });
    for (const event of ['end', 'error', 'close']) {
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#wake();
      });
    }
  }

  static async to(port: number): Promise<TunnelClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const client = new TunnelClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** @returns `null` when the connection ends before there is one */
  async head(): Promise<Head | null> {
    await this.#until(() => this.#bytes.includes('\r\n\r\n'));
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end === -1) {
      return null;
    }
    const text = this.#take(end + 4).toString('latin1');
    return { status: Number(text.slice(9, 12)), text };
  }

  /** So many bytes, or fewer where it ends before. */
  async bytes(length: number): Promise<Buffer> {
    await this.#until(() => this.#bytes.length >= length);
    return this.#take(Math.min(length, this.#bytes.length));
  }

  /** @returns whether nothing more came before the end */
  async ended(): Promise<boolean> {
    await this.#until(() => this.#bytes.length > 0);
    return this.#bytes.length === 0;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!(isThere() || this.#hasEnded)) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
