// A client on a bare socket, for scripts against the embedded proxy: every byte sent is the test's own, every
// packet received is kept as it came.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createSession } from '../../src/auth/create-session.ts';
import { parseIdentity } from '../../src/auth/credentials.ts';
import type { Mechanism } from '../../src/auth/mechanisms.ts';
import type { AuthSession } from '../../src/auth/session.ts';
import { createBodyDecoder, responseFraming } from '../../src/http1/body.ts';
import type { ResponseHead } from '../../src/http1/head.ts';
import { parseResponseHead } from '../../src/http1/head.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { Secret } from '../../src/observe/secret.ts';
import { SocketReader } from '../../src/testing/socket-io.ts';

export interface RawResponse {
  readonly head: ResponseHead;
  readonly body: Buffer;
  /** Bytes behind the response: a tunnel's first. */
  readonly rest: Buffer;
}

export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  /** Packets of the current response. */
  packets: Buffer[] = [];
  /** `ECONNRESET` and the like. */
  failure: string | null = null;
  readonly #reader: SocketReader;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#reader = new SocketReader(socket);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failure = error.code ?? error.message;
    });
  }

  static async to(peer: { host: string; port: number }, ca?: string): Promise<RawClient> {
    const { host, port } = peer;
    const plain = ca === undefined;
    const socket = plain ? connectPlain({ host, port }) : connectTls({ host, port, ca });
    const client = new RawClient(socket);
    await once(socket, plain ? 'connect' : 'secureConnect');
    return client;
  }

  /** Sends head lines and, behind the empty line, whatever else is given. */
  send(lines: readonly string[], behind = ''): void {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n${behind}`, 'latin1');
  }

  /** Sends a request with a Host and waits for the answer. */
  ask(method: string, target: string, headers: readonly string[] = []): Promise<RawResponse> {
    this.send([`${method} ${target} HTTP/1.1`, 'Host: origin.test', ...headers]);
    return this.response(method);
  }

  async response(method = 'GET'): Promise<RawResponse> {
    this.packets = [];
    const headReader = new HeadReader('HTTP/');
    for (;;) {
      const complete = headReader.push(await this.#require());
      if (complete !== null) {
        const head = parseResponseHead(complete.head);
        return { head, ...(await this.#body(head, method, complete.rest)) };
      }
    }
  }

  /** The next packet, or `null` at the end. */
  async read(): Promise<Buffer | null> {
    const packet = await this.#reader.read();
    if (packet !== null) {
      this.packets.push(packet);
    }
    return packet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) {
      await once(this.socket, 'close');
    }
  }

  async #body(head: ResponseHead, method: string, first: Buffer) {
    const decoder = createBodyDecoder(responseFraming(head, method));
    const parts: Buffer[] = [];
    let packet: Buffer | null = first;
    for (;;) {
      const { data, done, rest } = decoder.decode(packet);
      parts.push(...data);
      if (done) {
        return { body: Buffer.concat(parts), rest };
      }
      packet = await this.read();
      if (packet === null) {
        if (!decoder.mayEndHere) {
          throw new Error('the body was cut short');
        }
        return { body: Buffer.concat(parts), rest: Buffer.alloc(0) };
      }
    }
  }

  async #require(): Promise<Buffer> {
    const packet = await this.read();
    if (packet === null) {
      throw new Error(`the connection ended: ${this.failure ?? 'end'}`);
    }
    return packet;
  }
}

/** A session of the product's own sign-on, here as the other side of the proxy's acceptor. */
export function session(
  mechanism: Mechanism,
  options: {
    readonly user?: string;
    readonly password?: string;
    readonly spn?: string;
    readonly channelBindings?: Uint8Array | null;
  } = {},
): Promise<AuthSession> {
  return createSession(mechanism, {
    identity: parseIdentity(
      options.user ?? 'CORP\\alice',
      new Secret(options.password ?? 'Alice-Secret1'),
    ),
    spn: options.spn ?? 'HTTP/127.0.0.1',
    channelBindings: options.channelBindings ?? null,
    allowNtlm: true,
    delegate: false,
    securityLibrary: undefined,
    digest: null,
  });
}

/** Sends one request until its session has nothing more to say; returns the last answer. */
export async function signOn(
  client: RawClient,
  auth: AuthSession,
  [method, target]: readonly [method: string, target: string],
): Promise<RawResponse> {
  let token = await auth.step(null);
  for (;;) {
    const credentials = `${auth.scheme} ${Buffer.from(token ?? []).toString('base64')}`;
    const response = await client.ask(method, target, [`Proxy-Authorization: ${credentials}`]);
    const challenge = response.head.headers.first('proxy-authenticate')?.split(' ')[1];
    if (response.head.status !== 407 || challenge === undefined || auth.complete) {
      return response;
    }
    token = await auth.step(Buffer.from(challenge, 'base64'));
  }
}
