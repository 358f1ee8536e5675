// One client of the local proxy, from its first request to its end. Owns the order of things: read, admit, tunnel or forward,
// answer; and that what an origin signs on for this client ends with it.
import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { isPersistent } from '../http1/body.ts';
import { ClientTie } from '../upstream/client-tie.ts';
import { Connection } from '../upstream/connection.ts';
import type { ConnectOptions, Upstream } from '../upstream/upstream.ts';
import type { Admission } from './admission.ts';
import type { OwnAnswer } from './answers.ts';
import { answerBytes, errorAnswer, garbageAnswer, page, proxyStatus } from './answers.ts';
import type { Place } from './client-places.ts';
import type { ClientRequest } from './client-request.ts';
import { readClientRequest } from './client-request.ts';
import { closeSoftly } from './close-softly.ts';
import { refuseForeignCaller } from './foreign-caller.ts';
import { sendBack, sendOn } from './forward.ts';
import { hasLooped, VIA_VALUE } from './hop-by-hop.ts';
import { isOnThisMachine, isOpenToOthers, keepFromLoopback } from './loopback-guard.ts';
import { relay } from './relay.ts';
import { forwardTarget } from './request-target.ts';
import { openForConnect } from './tunnel.ts';
import { upgrade, wantsUpgrade } from './upgrade.ts';

export interface ClientContext {
  readonly upstream: Upstream;
  readonly admission: Admission;
}

/** Serves one accepted socket. Never rejects. */
export async function serveClient(
  socket: Socket,
  place: Place,
  context: ClientContext,
): Promise<void> {
  using tie = new ClientTie();
  const client = new Connection(socket, { role: 'client', name: 'The client' });
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  socket.once('close', () => gone.abort(new Error('The client has gone')));
  const isNear = isOnThisMachine(socket.remoteAddress);
  const { signal } = gone;
  const way = { signal, via: VIA_VALUE, ...(isNear ? {} : { mayReach: isOpenToOthers }) };
  const serving: Serving = { client, place, tie, isNear, way, ...context };
  try {
    while (await serveOne(serving)) {
      // Each turn is one request.
    }
    closeSoftly(client.detach().socket);
  } catch (error) {
    refuse(client, error);
  }
}

interface Serving extends ClientContext {
  readonly client: Connection;
  readonly place: Place;
  readonly tie: ClientTie;
  readonly isNear: boolean;
  /** How it goes on, for all of its requests. */
  readonly way: ConnectOptions & { readonly signal: AbortSignal };
}

/** @returns whether the connection goes on */
async function serveOne(serving: Serving): Promise<boolean> {
  const { client, admission, place, isNear } = serving;
  place.rests();
  const request = await readClientRequest(client, () => place.works());
  if (request === null) {
    return false;
  }
  const { head } = request;
  const refusal =
    refuseForeignCaller(head, client.socket) ??
    (await admission.judge(head, client.socket)) ??
    (isNear ? null : keepFromLoopback(head));
  if (refusal !== null) {
    return answer(serving, request, refusal);
  }
  try {
    return await serveAdmitted(serving, request);
  } catch (error) {
    if (serving.way.signal.aborted) {
      return false;
    }
    if (request.body.failure !== null) {
      throw request.body.failure;
    }
    return answer(serving, request, errorAnswer(error));
  }
}

async function serveAdmitted(serving: Serving, request: ClientRequest): Promise<boolean> {
  const { client, upstream, way, tie } = serving;
  const { head } = request;
  if (hasLooped(head.headers)) {
    const text = 'This request has come back to Sallyport: the proxy it was sent to leads here';
    const status = proxyStatus('proxy_loop_detected', 'Via names this process');
    return answer(serving, request, page(508, text, [status]));
  }
  if (head.method === 'CONNECT') {
    const opened = await openForConnect(request, upstream, way);
    return isAnswer(opened)
      ? answer(serving, request, opened)
      : tunnel(client, opened, ESTABLISHED);
  }
  const target = forwardTarget(head.target);
  if (target === null) {
    return answer(serving, request, ownPage(head.target));
  }
  if (wantsUpgrade(request, target)) {
    const upgraded = await upgrade(request, target, upstream, way);
    return upgraded.to === 'bytes'
      ? tunnel(client, detached(upgraded.origin), upgraded.head)
      : sendBack(client.socket, head, upgraded.answer, false);
  }
  const response = await sendOn({ request, target, upstream, tie, way });
  const wantsOpen = mayGoOn(serving, request);
  const keepsOpen = await sendBack(client.socket, head, response, wantsOpen);
  if (keepsOpen) {
    await request.body.drain();
  }
  return keepsOpen;
}

const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n');

/** From here on the bytes are not ours. */
async function tunnel(client: Connection, socket: Socket, answerHead: Buffer): Promise<false> {
  const { socket: own, head } = client.detach();
  if (own.destroyed) {
    socket.on('error', () => undefined).destroy();
    return false;
  }
  own.write(answerHead);
  await relay(own, socket, head);
  return false;
}

/** Bytes that came behind the head are the first of the other protocol. */
function detached(connection: Connection): Socket {
  const { socket, head } = connection.detach();
  if (head.length > 0) {
    socket.unshift(head);
  }
  return socket;
}

async function answer(serving: Serving, request: ClientRequest, own: OwnAnswer): Promise<boolean> {
  const keepsOpen = mayGoOn(serving, request);
  serving.client.socket.write(answerBytes(own, request.head.method, keepsOpen));
  if (keepsOpen) {
    await request.body.drain();
  }
  return keepsOpen;
}

/** Whether another request may follow. Who was answered early need not send a long body to its end. */
function mayGoOn({ place }: Serving, { head, body }: ClientRequest): boolean {
  return isPersistent(head, 'client') && body.isNearlyDone && !place.isClosing;
}

function isAnswer(opened: Socket | OwnAnswer): opened is OwnAnswer {
  return 'status' in opened;
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
function refuse(client: Connection, error: unknown): void {
  const { socket } = client;
  const isLost = isSallyportError(error) && error.code === 'CONNECTION_LOST';
  if (isLost || socket.destroyed) {
    socket.destroy();
    return;
  }
  socket.write(answerBytes(garbageAnswer(error), 'GET', false));
  closeSoftly(client.detach().socket);
}
