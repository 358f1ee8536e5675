// One client of the local proxy, from its first request to its end. Owns the order of things: read, admit, tunnel or forward,
// answer; and that what an origin signs on for this client ends with it.
import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { isSallyportError } from '../errors/sallyport-error.ts';
import { isPersistent } from '../http1/body.ts';
import type { RequestHead } from '../http1/head.ts';
import type { RequestEvent } from '../observe/events.ts';
import { ClientTie } from '../upstream/client-tie.ts';
import { Connection } from '../upstream/connection.ts';
import { targetOf } from '../upstream/target.ts';
import type { ConnectOptions } from '../upstream/upstream.ts';
import type { Admission } from './admission.ts';
import type { OwnAnswer } from './answers.ts';
import { answerBytes, errorAnswer, garbageAnswer, page, proxyStatus } from './answers.ts';
import type { Place } from './client-places.ts';
import type { ClientRequest } from './client-request.ts';
import { readClientRequest } from './client-request.ts';
import { closeSoftly } from './close-softly.ts';
import { refuseForeignCaller } from './foreign-caller.ts';
import { sendBack, sendOn } from './forward.ts';
import type { HeardRequest } from './heard-request.ts';
import { hearRequest, hearUnread } from './heard-request.ts';
import { hasLooped, VIA_VALUE } from './hop-by-hop.ts';
import { isOnThisMachine, isOpenToOthers, keepFromLoopback } from './loopback-guard.ts';
import type { OwnPages } from './own-pages.ts';
import { relay } from './relay.ts';
import { forwardTarget } from './request-target.ts';
import type { Traffic } from './traffic.ts';
import { openForConnect, refuseClosedPort } from './tunnel.ts';
import { upgrade, wantsUpgrade } from './upgrade.ts';
import type { UpstreamDoor } from './upstream-door.ts';

export interface ClientContext {
  readonly upstream: UpstreamDoor;
  readonly admission: Admission;
  readonly traffic: Traffic;
  readonly pages: OwnPages;
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
  context.traffic.enter(socket);
  const isNear = isOnThisMachine(socket.remoteAddress);
  const { signal } = gone;
  const way = { signal, via: VIA_VALUE, ...(isNear ? {} : { mayReach: isOpenToOthers }) };
  const serving: Serving = { client, place, tie, isNear, way, heard: null, ...context };
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
  /** Of the request that is served now. */
  heard: HeardRequest | null;
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
  serving.heard = hearRequest(head);
  const refusal =
    refuseForeignCaller(head, client.socket) ??
    (await admission.judge(head, client.socket)) ??
    (isNear ? null : keepFromLoopback(head));
  if (refusal !== null) {
    return answer(serving, request, refusal, 'refused');
  }
  try {
    return await serveAdmitted(serving, request);
  } catch (error) {
    if (serving.way.signal.aborted) {
      serving.heard?.answered(kindOf(head), null);
      return false;
    }
    if (request.body.failure !== null) {
      throw request.body.failure;
    }
    return answer(serving, request, errorAnswer(error), kindOf(head));
  }
}

async function serveAdmitted(serving: Serving, request: ClientRequest): Promise<boolean> {
  const { client, upstream, way, tie } = serving;
  const { head } = request;
  if (hasLooped(head.headers)) {
    const text = 'This request has come back to Sallyport: the proxy it was sent to leads here';
    const status = proxyStatus('proxy_loop_detected', 'Via names this process');
    return answer(serving, request, page(508, text, [status]), kindOf(head));
  }
  if (head.method === 'CONNECT') {
    const opened = await openForConnect(request, upstream, way);
    if (isAnswer(opened)) {
      return answer(serving, request, opened, 'tunnel');
    }
    serving.heard?.answered('tunnel', 200);
    return tunnel(serving, opened, ESTABLISHED);
  }
  const target = forwardTarget(head.target);
  if (target === null) {
    return answer(serving, request, await serving.pages.find(head), 'page');
  }
  const closed = refuseClosedPort(targetOf(target.url));
  if (closed !== null) {
    return answer(serving, request, closed, 'forward');
  }
  if (wantsUpgrade(request, target)) {
    const upgraded = await upgrade(request, target, upstream, way);
    serving.heard?.answered('upgrade', upgraded.to === 'bytes' ? 101 : upgraded.answer.head.status);
    return upgraded.to === 'bytes'
      ? tunnel(serving, detached(upgraded.origin), upgraded.head)
      : sendBack(client.socket, head, upgraded.answer, false);
  }
  const response = await sendOn({ request, target, upstream, tie, way });
  serving.heard?.answered('forward', response.head.status);
  const wantsOpen = mayGoOn(serving, request);
  const keepsOpen = await sendBack(client.socket, head, response, wantsOpen);
  if (keepsOpen) {
    await request.body.drain();
  }
  return keepsOpen;
}

const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n');

/** From here on the bytes are not ours. */
async function tunnel(
  { client, traffic }: Serving,
  socket: Socket,
  answerHead: Buffer,
): Promise<false> {
  const { socket: own, head } = client.detach();
  if (own.destroyed) {
    socket.on('error', () => undefined).destroy();
    return false;
  }
  own.write(answerHead);
  await relay(own, socket, head, (reader) => traffic.becomesTunnel(own, reader));
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

async function answer(
  serving: Serving,
  request: ClientRequest,
  own: OwnAnswer,
  kind: RequestEvent['kind'],
): Promise<boolean> {
  serving.heard?.answered(kind, own.status, own);
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

function kindOf({ method }: RequestHead): RequestEvent['kind'] {
  return method === 'CONNECT' ? 'tunnel' : 'forward';
}

/** What is no request gets an answer it can read, and no second try. */
function refuse(client: Connection, error: unknown): void {
  const { socket } = client;
  const isLost = isSallyportError(error) && error.code === 'CONNECTION_LOST';
  if (isLost || socket.destroyed) {
    socket.destroy();
    return;
  }
  const own = garbageAnswer(error);
  hearUnread('invalid', own);
  socket.write(answerBytes(own, 'GET', false));
  closeSoftly(client.detach().socket);
}
