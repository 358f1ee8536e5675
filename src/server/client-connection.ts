// One client of the local proxy, from its first request to its end. Owns the order of things: read, admit, tunnel or forward,
// answer; and that what an origin signs on for this client ends with it.
import type { Socket } from 'node:net';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import { isPersistent } from '../http1/body.ts';
import { ClientTie } from '../upstream/client-tie.ts';
import { Connection } from '../upstream/connection.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Admission } from './admission.ts';
import type { OwnAnswer } from './answers.ts';
import { answerBytes, errorAnswer, page, proxyStatus } from './answers.ts';
import type { ClientRequest } from './client-request.ts';
import { readClientRequest } from './client-request.ts';
import { refuseForeignCaller } from './foreign-caller.ts';
import { sendBack, sendOn } from './forward.ts';
import { hasLooped } from './hop-by-hop.ts';
import { relay } from './relay.ts';
import { openForConnect, openForUpgrade } from './tunnel.ts';

export interface ClientContext {
  readonly upstream: Upstream;
  readonly admission: Admission;
}

const LINGER_MS = 1000;

/** Serves one accepted socket. Never rejects. */
export async function serveClient(socket: Socket, context: ClientContext): Promise<void> {
  using tie = new ClientTie();
  const client = new Connection(socket, { role: 'client', name: 'the client' });
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('the client has gone')));
  try {
    while (await serveOne({ client, tie, signal: gone.signal, ...context })) {
      // Each turn is one request.
    }
    closeSoftly(socket);
  } catch (error) {
    refuseGarbage(client, error);
  }
}

interface Serving extends ClientContext {
  readonly client: Connection;
  readonly tie: ClientTie;
  readonly signal: AbortSignal;
}

/** @returns whether the connection goes on */
async function serveOne(serving: Serving): Promise<boolean> {
  const { client, admission } = serving;
  const request = await readClientRequest(client);
  if (request === null) {
    return false;
  }
  const refusal =
    refuseForeignCaller(request.head, client.socket) ??
    (await admission.judge(request.head, client.socket));
  if (refusal !== null) {
    return answer(client, request, refusal);
  }
  try {
    return await serveAdmitted(serving, request);
  } catch (error) {
    if (serving.signal.aborted) {
      return false;
    }
    if (!isSallyportError(error)) {
      throw error;
    }
    return answer(client, request, errorAnswer(error));
  }
}

async function serveAdmitted(serving: Serving, request: ClientRequest): Promise<boolean> {
  const { client, upstream, signal, tie } = serving;
  const { head } = request;
  if (hasLooped(head.headers)) {
    const text = 'This request has come back to Sallyport: the proxy it was sent to leads here';
    return answer(
      client,
      request,
      page(508, text, [proxyStatus('proxy_loop_detected', 'Via names this process')]),
    );
  }
  if (head.method === 'CONNECT') {
    const opened = await openForConnect(request, upstream, signal);
    return isAnswer(opened) ? answer(client, request, opened) : tunnel(client, opened, true);
  }
  const url = forwardUrl(head.target);
  if (url === null) {
    return answer(client, request, ownPage(head.target));
  }
  if (head.headers.first('upgrade') !== undefined && url.protocol === 'http:') {
    return tunnel(client, await openForUpgrade(request, url, upstream, signal), false);
  }
  const response = await sendOn({ request, url, upstream, tie, signal });
  const wantsOpen = isPersistent(head, 'client');
  const keepsOpen = await sendBack(
    client,
    request,
    response,
    wantsOpen && !request.body.isAmbiguous,
  );
  if (keepsOpen) {
    await request.body.drain();
  }
  return keepsOpen;
}

/** From here on the bytes are not ours. */
async function tunnel(client: Connection, socket: Socket, isConnect: boolean): Promise<false> {
  const { socket: own, head } = client.detach();
  if (isConnect) {
    own.write('HTTP/1.1 200 Connection established\r\n\r\n');
  }
  if (head.length > 0) {
    socket.write(head);
  }
  await relay(own, socket);
  return false;
}

async function answer(
  client: Connection,
  { head, body }: ClientRequest,
  own: OwnAnswer,
): Promise<boolean> {
  const keepsOpen = isPersistent(head, 'client') && !body.isAmbiguous && !isUnbounded(head);
  client.socket.write(answerBytes(own, head.method, keepsOpen));
  if (keepsOpen) {
    await body.drain();
  }
  return keepsOpen;
}

/** A client that was refused need not send a long body to the end. */
function isUnbounded({ headers }: ClientRequest['head']): boolean {
  return (
    headers.first('transfer-encoding') !== undefined ||
    Number(headers.first('content-length') ?? 0) > 65_536
  );
}

function isAnswer(opened: Socket | OwnAnswer): opened is OwnAnswer {
  return 'status' in opened;
}

/** `null` for what is addressed to the proxy itself. Old clients send `GET https://...` without a tunnel. */
function forwardUrl(target: string): URL | null {
  if (target.startsWith('/') || target === '*') {
    return null;
  }
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) {
    throw new SallyportError(
      'URL_INVALID',
      `${target.slice(0, 100)} is no address of http or https`,
    );
  }
  return new URL(target);
}

function ownPage(target: string): OwnAnswer {
  return target === '/'
    ? page(
        200,
        'Sallyport is at work. This port is a proxy: name it in HTTP_PROXY and HTTPS_PROXY.',
      )
    : page(404, 'There is no such page. This port is a proxy.');
}

/** What is no request gets an answer it can read, and no second try. */
function refuseGarbage(client: Connection, error: unknown): void {
  const { socket } = client;
  if (!isSallyportError(error) || error.code === 'CONNECTION_LOST' || socket.destroyed) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HEAD_TOO_LARGE' ? 431 : 400;
  socket.write(
    answerBytes(
      page(status, error.message, [proxyStatus('http_request_error', error.code)]),
      'GET',
      false,
    ),
  );
  closeSoftly(socket);
}

/** Ends our side and waits for the other: a close with unread bytes would reset what is on its way. */
function closeSoftly(socket: Socket): void {
  if (socket.destroyed) {
    return;
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end();
  socket.resume();
}
