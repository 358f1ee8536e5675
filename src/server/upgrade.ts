// A request that changes the protocol, as WebSocket does: a tunnel to its origin, plain http, too. Owns the origin's answer to
// it: 101 makes the rest bytes, any other is an answer like others, and the last one of its connection.
import { isSallyportError } from '../errors/sallyport-error.ts';
import { responseFraming } from '../http1/body.ts';
import type { RequestHead, ResponseHead } from '../http1/head.ts';
import { formatRequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { BodyReader } from '../upstream/body-reader.ts';
import { Connection } from '../upstream/connection.ts';
import { targetName, targetOf } from '../upstream/target.ts';
import type { ConnectOptions } from '../upstream/upstream.ts';
import type { ClientRequest } from './client-request.ts';
import type { AnswerToRelay } from './forward.ts';
import { endToEnd, VIA } from './hop-by-hop.ts';
import type { ForwardTarget } from './request-target.ts';
import type { UpstreamDoor } from './upstream-door.ts';

/** For the origin's answer, and for its head once it has begun. */
const ANSWER_PATIENCE_MS = 120_000;

export type Upgraded =
  | { readonly to: 'bytes'; readonly origin: Connection; readonly head: Buffer }
  | { readonly to: 'answer'; readonly answer: AnswerToRelay };

/** Others, such as h2c, are offers: a request without them gets its answer all the same. */
export function wantsUpgrade({ head, body }: ClientRequest, { url }: ForwardTarget): boolean {
  const { headers, method } = head;
  return (
    url.protocol === 'http:' &&
    method === 'GET' &&
    body.isEmpty &&
    headers.tokens('connection').includes('upgrade') &&
    headers.tokens('upgrade').includes('websocket')
  );
}

/** @throws SallyportError as `Upstream.openTunnel`, and those of reading an answer */
export async function upgrade(
  { head }: ClientRequest,
  { url, path }: ForwardTarget,
  upstream: UpstreamDoor,
  way: ConnectOptions & { readonly signal: AbortSignal },
): Promise<Upgraded> {
  const { signal } = way;
  const target = targetOf(url);
  const socket = await upstream.openTunnel(target, way);
  const origin = new Connection(socket, { role: 'origin', name: targetName(target) });
  origin.patienceMs = ANSWER_PATIENCE_MS;
  origin.headMs = ANSWER_PATIENCE_MS;
  const abort = (): void => origin.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    origin.writeHead(requestBytes(head, url, path));
    const answer = await origin.readHead();
    if (answer.status === 101) {
      return { to: 'bytes', origin, head: switchBytes(answer) };
    }
    const framing = responseFraming(answer, head.method);
    const onFree = (connection: Connection): void => connection.destroy();
    const body = new BodyReader({ connection: origin, framing, signal, onFree });
    return { to: 'answer', answer: { head: answer, body } };
  } catch (error) {
    origin.destroy();
    throw isSallyportError(error) ? error : signal.reason;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function requestBytes({ method, headers }: RequestHead, url: URL, path: string): Buffer {
  const fields = endToEnd(headers, 'host');
  return formatRequestHead({
    method,
    target: path,
    headers: [['Host', url.host]],
    credentials: [...fields, ['Connection', 'Upgrade'], ['Upgrade', 'websocket'], VIA],
  });
}

function switchBytes({ reason, headers }: ResponseHead): Buffer {
  const fields: HeaderField[] = [
    ...endToEnd(headers),
    ['Connection', 'Upgrade'],
    ['Upgrade', headers.first('upgrade') ?? 'websocket'],
  ];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`HTTP/1.1 101 ${reason}\r\n${lines}\r\n`, 'latin1');
}
