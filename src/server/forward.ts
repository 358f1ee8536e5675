// A request in absolute-form: on to its origin by its route, and the answer back, streaming. Owns framing towards the client.
import { once } from 'node:events';
import type { HeaderField } from '../http1/header-list.ts';
import type { ClientTie } from '../upstream/client-tie.ts';
import type { Connection } from '../upstream/connection.ts';
import type { HttpResponse, Upstream } from '../upstream/upstream.ts';
import type { ClientRequest } from './client-request.ts';
import { endToEnd, listOf, VIA } from './hop-by-hop.ts';

export interface ForwardInput {
  readonly request: ClientRequest;
  readonly url: URL;
  readonly upstream: Upstream;
  readonly tie: ClientTie;
  readonly signal: AbortSignal;
}

/** @throws SallyportError as `Upstream.request`: nothing has gone to the client then */
export async function sendOn({
  request,
  url,
  upstream,
  tie,
  signal,
}: ForwardInput): Promise<HttpResponse> {
  const { head, body } = request;
  const headers: HeaderField[] = endToEnd(head.headers).filter(
    ([name]) => name.toLowerCase() !== 'host',
  );
  const content = await body.forUpstream();
  return upstream.request(url, {
    method: head.method,
    headers: [...headers, VIA],
    isForwarded: true,
    ...(content === undefined ? {} : { body: content }),
    ...{ tie, signal },
  });
}

/**
 * Writes an answer to the client.
 *
 * @returns whether its connection may carry another request; false, too, when either side broke off
 */
export async function sendBack(
  client: Connection,
  { head }: ClientRequest,
  response: HttpResponse,
  wantsOpen: boolean,
): Promise<boolean> {
  const { fields, framing } = answerFraming(head, response);
  const keepsOpen = wantsOpen && framing !== 'until-close';
  const lines = [
    `HTTP/1.1 ${response.status} ${response.reason}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(keepsOpen ? [] : ['Connection: close', 'Proxy-Connection: close']),
    ...(keepsOpen && head.version === '1.0'
      ? ['Connection: keep-alive', 'Proxy-Connection: keep-alive']
      : []),
  ];
  client.socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  const isWhole = await sendBody(client, response, framing === 'chunked');
  return isWhole && keepsOpen;
}

type AnswerFraming = 'none' | 'as-announced' | 'chunked' | 'until-close';

function answerFraming(
  { method, version }: ClientRequest['head'],
  { status, rawHeaders }: HttpResponse,
): { readonly fields: HeaderField[]; readonly framing: AnswerFraming } {
  const received = listOf(rawHeaders);
  const fields: HeaderField[] = [...endToEnd(received), VIA];
  const hasLength = received.first('content-length') !== undefined;
  if (method === 'HEAD' || status === 204 || status === 304) {
    return { fields, framing: 'none' };
  }
  if (hasLength && received.first('transfer-encoding') === undefined) {
    return { fields, framing: 'as-announced' };
  }
  const withoutLength = fields.filter(([name]) => name.toLowerCase() !== 'content-length');
  return version === '1.0'
    ? { fields: withoutLength, framing: 'until-close' }
    : { fields: [...withoutLength, ['Transfer-Encoding', 'chunked']], framing: 'chunked' };
}

async function sendBody(
  { socket }: Connection,
  { body }: HttpResponse,
  isChunked: boolean,
): Promise<boolean> {
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      if (socket.destroyed) {
        return false;
      }
      const isTaken = isChunked ? writeChunk(socket, piece) : socket.write(piece);
      if (!isTaken) {
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      }
    }
  } catch {
    // The length that was announced, or the last chunk, is missing: the client sees that it is not whole.
    socket.destroy();
    return false;
  }
  if (isChunked) {
    socket.write('0\r\n\r\n');
  }
  return true;
}

function writeChunk(socket: Connection['socket'], piece: Buffer): boolean {
  socket.cork();
  socket.write(`${piece.length.toString(16)}\r\n`);
  socket.write(piece);
  const isTaken = socket.write('\r\n');
  socket.uncork();
  return isTaken;
}
