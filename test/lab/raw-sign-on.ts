// An HTTP client of the tests' own, for one security context on one connection: nothing of the product but the context
// takes part. Owns the socket; judges nothing.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SecurityContext } from '../../src/native/security-context.ts';

export interface RawOutcome {
  /** Of each answer: one a leg. */
  readonly statuses: readonly number[];
  /** Whether the last answer had a token, which was given to the context. */
  readonly serverToken: boolean;
}

export interface RawSignOn {
  /** With `ca`, in PEM: TLS to the proxy. */
  readonly proxy: { readonly host: string; readonly port: number; readonly ca?: string };
  readonly scheme: 'Negotiate' | 'NTLM';
  readonly context: SecurityContext;
  /** `CONNECT host:port`, or `GET http://...` */
  readonly request: string;
}

/** A proxy goes by the request line. */
const HOST = 'origin.corp.example:8080';
const MAX_LEGS = 4;

/** Signs on with the first request and answers what comes; the connection is closed in the end. */
export async function signOnRaw({
  proxy,
  scheme,
  context,
  request,
}: RawSignOn): Promise<RawOutcome> {
  const socket =
    proxy.ca === undefined
      ? connect(proxy.port, proxy.host)
      : connectTls({ ...proxy, servername: proxy.host });
  await once(socket, proxy.ca === undefined ? 'connect' : 'secureConnect');
  const statuses: number[] = [];
  try {
    let token = await context.step(null);
    while (token !== null && statuses.length < MAX_LEGS) {
      socket.write(
        `${request} HTTP/1.1\r\nHost: ${HOST}\r\nProxy-Connection: keep-alive\r\n` +
          `Proxy-Authorization: ${scheme} ${Buffer.from(token).toString('base64')}\r\n\r\n`,
      );
      const head = await readHead(socket);
      statuses.push(Number(head.slice(9, 12)));
      const answer = new RegExp(`^Proxy-Authenticate: ${scheme} (\\S+)`, 'imu').exec(head)?.[1];
      token = answer === undefined ? null : await context.step(Buffer.from(answer, 'base64'));
      if (statuses.at(-1) === 200) {
        return { statuses, serverToken: answer !== undefined };
      }
    }
    return { statuses, serverToken: false };
  } finally {
    socket.destroy();
    await once(socket, 'close');
  }
}

/** The head of an answer; a body with a length is read and dropped. */
async function readHead(socket: Socket): Promise<string> {
  let text = '';
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    const length = Number(/^Content-Length: (\d+)/imu.exec(text)?.[1] ?? 0);
    if (end !== -1 && text.length >= end + 4 + length) {
      return text.slice(0, end);
    }
    const [piece] = (await once(socket, 'data')) as [Buffer];
    text += piece.toString('latin1');
  }
}
