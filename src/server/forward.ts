// A request in absolute-form: on to its origin by its route, and the answer back, streaming. Owns framing towards the client.
import type { Socket } from 'node:net';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { RequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { BodyReader } from '../upstream/body-reader.ts';
import type { ClientTie } from '../upstream/client-tie.ts';
import type { ConnectOptions, RelayedAnswer } from '../upstream/upstream.ts';
import type { ClientRequest } from './client-request.ts';
import { drained } from './drained.ts';
import { endToEnd, VIA } from './hop-by-hop.ts';
import type { ForwardTarget } from './request-target.ts';
import type { UpstreamDoor } from './upstream-door.ts';

export interface ForwardInput {
  readonly request: ClientRequest;
  readonly target: ForwardTarget;
  readonly upstream: UpstreamDoor;
  readonly tie: ClientTie;
  readonly way: ConnectOptions & { readonly signal: AbortSignal };
}

/** @throws SallyportError as `Upstream.request`: nothing has gone to the client then */
export async function sendOn(input: ForwardInput): Promise<RelayedAnswer> {
  const { request, target, upstream, tie, way } = input;
  const { head, body } = request;
  const headers = endToEnd(head.headers, 'host');
  headers.push(VIA);
  const content = await body.forUpstream();
  return upstream.relay(target.url, {
    method: head.method,
    headers,
    forwardedPath: target.path,
    ...(content === undefined ? {} : { body: content }),
    ...way,
    tie,
  });
}

/** What of an answer goes back; its body is read to the end, or destroyed. */
export type AnswerToRelay = Pick<RelayedAnswer, 'head' | 'body'>;

/** Pieces up to this size go out in one write with what stands in front of them. */
const SMALL_PIECE_BYTES = 16_384;

/**
 * Writes an answer to the client.
 *
 * @returns whether its connection may carry another request; false, too, when either side broke off
 * @throws SallyportError when the body breaks off before anything has gone to the client, or is coded as nobody asked for
 */
export async function sendBack(
  socket: Socket,
  request: RequestHead,
  answer: AnswerToRelay,
  wantsOpen: boolean,
): Promise<boolean> {
  const { fields, framing } = answerFraming(request, answer);
  const keepsOpen = wantsOpen && framing !== 'until-close';
  let text = `HTTP/1.1 ${answer.head.status} ${answer.head.reason}\r\n`;
  for (const [name, value] of fields) {
    text += `${name}: ${value}\r\n`;
  }
  if (!keepsOpen) {
    text += 'Connection: close\r\nProxy-Connection: close\r\n';
  } else if (request.version === '1.0') {
    text += 'Connection: keep-alive\r\nProxy-Connection: keep-alive\r\n';
  }
  const head = Buffer.from(`${text}\r\n`, 'latin1');
  return (await sendWhole(socket, head, answer.body, framing === 'chunked')) && keepsOpen;
}

type AnswerFraming = 'none' | 'as-announced' | 'chunked' | 'until-close';

function answerFraming(
  { method, version }: RequestHead,
  answer: AnswerToRelay,
): { readonly fields: HeaderField[]; readonly framing: AnswerFraming } {
  const { status, headers: received } = answer.head;
  const codings = received.tokens('transfer-encoding');
  if (codings.some((coding) => coding !== 'chunked')) {
    answer.body.destroy();
    throw new SallyportError(
      'RESPONSE_INVALID',
      `The answer is coded as nobody asked for (Transfer-Encoding: ${codings.join(', ')})`,
    );
  }
  if (method === 'HEAD' || status === 304) {
    return { fields: [...endToEnd(received), VIA], framing: 'none' };
  }
  const fields = endToEnd(received, 'content-length');
  fields.push(VIA);
  if (status === 204) {
    return { fields, framing: 'none' };
  }
  const [length] = received.tokens('content-length');
  if (codings.length > 0 || length === undefined) {
    return framedByUs(fields, version);
  }
  fields.push(['Content-Length', length]);
  return { fields, framing: 'as-announced' };
}

function framedByUs(fields: HeaderField[], version: RequestHead['version']) {
  return version === '1.0'
    ? { fields, framing: 'until-close' as const }
    : {
        fields: [...fields, ['Transfer-Encoding', 'chunked'] as const],
        framing: 'chunked' as const,
      };
}

async function sendWhole(
  socket: Socket,
  head: Buffer,
  body: BodyReader,
  isChunked: boolean,
): Promise<boolean> {
  let held: Buffer[] = [head];
  const flush = (): void => {
    writeTogether(socket, held);
    held = [];
  };
  // Proxies write a head and its body apart: what comes with the next look at the sockets goes out in one piece.
  let soon = body.isAtHand ? undefined : setImmediate(() => (soon = setImmediate(flush)));
  try {
    for (let pieces = await body.next(); pieces !== null; pieces = await body.next()) {
      const parts = isChunked ? pieces.flatMap(chunkOf) : pieces;
      const isTaken = writeTogether(socket, [...held, ...parts]);
      held = [];
      if (!isTaken) {
        await drained(socket);
      }
      if (socket.destroyed) {
        body.destroy();
        return false;
      }
    }
  } catch (error) {
    if (held.length > 0) {
      held = [];
      throw error;
    }
    // The length that was announced, or the last chunk, is missing: the client sees that it is not whole.
    socket.destroy();
    return false;
  } finally {
    clearImmediate(soon);
  }
  writeTogether(socket, isChunked ? [...held, LAST_CHUNK] : held);
  return true;
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

function chunkOf(piece: Buffer): Buffer[] {
  return [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, LINE_END];
}

function writeTogether(socket: Socket, parts: readonly Buffer[]): boolean {
  const [only] = parts;
  if (only === undefined || parts.length === 1) {
    return only === undefined || socket.write(only);
  }
  if (parts.every(({ length }) => length <= SMALL_PIECE_BYTES)) {
    return socket.write(Buffer.concat(parts));
  }
  socket.cork();
  let isTaken = true;
  for (const part of parts) {
    isTaken = socket.write(part);
  }
  socket.uncork();
  return isTaken;
}
