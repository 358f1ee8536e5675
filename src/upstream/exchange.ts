// Sends one request until an answer is final: the loop over legs and connections. The ONLY place that repeats a request by itself.
// Owns draining, body replay and starting over; what a challenge means is `sign-on.ts`.
import { setImmediate as turn } from 'node:timers/promises';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { Framing } from '../http1/body.ts';
import { isPersistent, responseFraming } from '../http1/body.ts';
import type { ResponseHead } from '../http1/head.ts';
import { formatRequestHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import type { Layer, LegEvent } from '../observe/events.ts';
import { publishLeg } from '../observe/events.ts';
import type { Connection } from './connection.ts';
import type { Decision, SignOn } from './sign-on.ts';
import type { Upload } from './upload.ts';

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  /** Without framing and credentials, which the exchange adds. */
  readonly headers: readonly HeaderField[];
  /** Of targets and values: `latin1` hands on the bytes of a client. Default `utf8`. */
  readonly encoding?: 'latin1' | 'utf8';
  readonly upload: Upload | null;
}

/** Where connections to the server come from. */
export interface Hop {
  /** A new connection. */
  open(): Promise<Connection>;
  /** A connection that is at hand, or `null`. */
  takeIdle(): Connection | null;
  /**
   * A CONNECT on a fresh connection got this status: gives connections back that only wait.
   *
   * @returns whether there were any: they may have been one too many
   */
  giveBack?(status: number): boolean;
}

/**
 * What came of a connection that was at hand: it served; the proxy would not have it used again; or it ended without an
 * answer.
 */
export type Reuse = 'served' | 'refused' | 'lost';

export interface Patience {
  /** For the answer to a leg that is not the last, and for the rest of any head that has begun, in milliseconds. */
  readonly handshakeMs: number;
  /** For every other answer. */
  readonly answerMs: number;
}

/** The final answer; its body is still on the connection. */
export interface Answer {
  readonly head: ResponseHead;
  readonly framing: Framing;
  readonly connection: Connection;
  /** Whether the connection may carry another request once the body was read. */
  readonly keeps: boolean;
  /** Why a 407 or 401 was not answered, or was the last word. */
  readonly refusal: SallyportError | null;
  /** Requests that were sent, the first without credentials included. */
  readonly legs: number;
  readonly connectionsOpened: number;
  /** `null` where none was at hand. */
  readonly reuse: Reuse | null;
  /** Whether connections that only wait were given back, and the request sent once more. */
  readonly gaveBack: boolean;
}

/** A proxy's page about a 407 is dropped up to this size; beyond it a new connection is cheaper. */
const MAX_DRAIN_BYTES = 1_048_576;
/** An unanswered challenge holds an authenticator of the proxy: what cannot be answered sooner is given up. */
const MAX_CHALLENGE_MS = 2000;
/** First try, closed on 407, one start over, and one change of scheme each: more is a loop. */
const MAX_CONNECTIONS = 6;
/** Without a body these announce its absence (RFC 9110 section 8.6). */
const EXPECTS_BODY = new Set(['POST', 'PUT', 'PATCH']);
/**
 * Twice is as good as once (RFC 9110 section 9.2.2, RFC 4918, 3253, 5323). Of POST, PATCH, LOCK, and of what nobody here knows, a
 * server may have acted on the first before it went silent.
 */
const IDEMPOTENT = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'CONNECT'],
  ...['PROPFIND', 'REPORT', 'SEARCH'],
]);
/** From here on the answer says that the body is not wanted, or not here. */
const MIN_UNWANTED_STATUS = 300;
/** How long a server may think about `Expect: 100-continue` (RFC 9110 section 10.1.1). */
const CONTINUE_WAIT_MS = 1000;

export interface ExchangeInput {
  readonly hop: Hop;
  readonly request: WireRequest;
  /** One for each layer that may ask: the proxy's first. */
  readonly signOns: readonly SignOn[];
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

/**
 * @throws SallyportError of dialling and reading, HANDSHAKE_CUT, BODY_NOT_REPLAYABLE,
 *   CREDENTIALS_REFUSED when the secret was refused before
 */
export async function exchange(input: ExchangeInput): Promise<Answer> {
  const { signOns } = input;
  const count: Count = { legs: 0, opened: 0, wantsFresh: false, reuse: null, gaveBack: false };
  try {
    while (true) {
      const idle = count.opened === 0 && !count.wantsFresh ? await takeOpen(input) : null;
      const connection = idle ?? (await openFresh(input));
      count.opened += idle === null ? 1 : 0;
      count.reuse = idle === null ? count.reuse : 'served';
      const run = new Run({ ...input, connection, count, isFromPool: idle !== null });
      const answer = await run.toTheEnd(input.signal);
      if (answer !== 'start-over') {
        return answer;
      }
      for (const signOn of signOns) {
        // What was under way is over, and must not keep the others from beginning.
        signOn.leave();
      }
    }
  } finally {
    for (const signOn of signOns) {
      signOn.end();
    }
  }
}

/**
 * A connection at hand. For what must not be sent twice it is looked at first: an end that has come is heard within one
 * round of the event loop, which two turns are sure to hold.
 */
async function takeOpen({ hop, request }: ExchangeInput): Promise<Connection | null> {
  let idle = hop.takeIdle();
  while (idle !== null && !IDEMPOTENT.has(request.method)) {
    await turn();
    await turn();
    if (idle.isIdle) {
      return idle;
    }
    idle.destroy();
    idle = hop.takeIdle();
  }
  return idle;
}

function openFresh({ hop, signOns }: ExchangeInput): Promise<Connection> {
  for (const signOn of signOns) {
    signOn.prepare();
  }
  return hop.open();
}

/** Shared by all runs of an exchange. */
interface Count {
  legs: number;
  opened: number;
  wantsFresh: boolean;
  reuse: Reuse | null;
  gaveBack: boolean;
}

/** Whether a request that was lost may be sent once more: nothing is done twice by it, and its body is still there. */
export function isRepeatable({ method, upload }: WireRequest): boolean {
  return IDEMPOTENT.has(method) && (upload?.canBeSent ?? true);
}

interface RunInput extends ExchangeInput {
  readonly connection: Connection;
  readonly count: Count;
  readonly isFromPool: boolean;
}

/** The legs on one connection. */
class Run {
  readonly #connection: Connection;
  readonly #hop: Hop;
  readonly #request: WireRequest;
  readonly #signOns: readonly SignOn[];
  readonly #patience: Patience;
  readonly #count: RunInput['count'];
  readonly #isFromPool: boolean;
  #uploaded = true;
  /** A body was announced, and nothing of it has left: whoever got the head has nothing to act on. */
  #owesBody = false;
  #isUploading = false;
  #expects = true;
  #challengeTimer: NodeJS.Timeout | undefined;

  constructor({ connection, hop, request, signOns, patience, count, isFromPool }: RunInput) {
    this.#connection = connection;
    this.#hop = hop;
    this.#request = request;
    this.#signOns = signOns;
    this.#patience = patience;
    this.#count = count;
    this.#isFromPool = isFromPool;
  }

  async toTheEnd(signal: AbortSignal): Promise<Answer | 'start-over'> {
    const connection = this.#connection;
    const abort = (): void => connection.fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      for (const signOn of this.#signOns) {
        const mayStart = !this.#signOns.some((other) => other.holdsTurn);
        await signOn.begin(connection, this.#signed(signOn.layer), mayStart);
      }
      const answer = await this.#legs();
      if (answer === 'start-over') {
        connection.destroy();
      }
      return answer;
    } catch (error) {
      connection.destroy();
      throw error;
    } finally {
      clearTimeout(this.#challengeTimer);
      signal.removeEventListener('abort', abort);
    }
  }

  async #legs(): Promise<Answer | 'start-over'> {
    for (let first = true; ; first = false) {
      this.#count.legs += 1;
      let head: ResponseHead;
      try {
        head = await this.#send();
      } catch (error) {
        return this.#lost(error, first);
      }
      const framing = this.#framingOf(head);
      const persistent = isPersistent(head, this.#connection.peer.role);
      const staysOpen = persistent && framing.kind !== 'until-close';
      if (staysOpen && this.#refusedToBeAsked(head)) {
        this.#expects = false;
        await this.#drain(framing);
        continue;
      }
      const keeps = staysOpen && this.#uploaded;
      this.#holdChallenge(head);
      const decision = await this.#decide(head, keeps);
      const another = this.#onAnother(head, first, decision);
      if (another !== null) {
        return another;
      }
      if (decision.do === 'deliver') {
        const { refusal = null } = decision;
        if (refusal !== null && head.status !== 407 && head.status !== 401) {
          // The server said yes, but could not prove who it is.
          throw refusal;
        }
        const { legs, opened: connectionsOpened, reuse, gaveBack } = this.#count;
        const connection = this.#connection;
        // What follows is a body, which may take its time.
        connection.allow(null);
        const cost = { legs, connectionsOpened, reuse, gaveBack };
        return { head, framing, connection, keeps, refusal, ...cost };
      }
      if (decision.connection === 'fresh' || !(await this.#goesOn(framing))) {
        return this.#startOver();
      }
    }
  }

  #framingOf(head: ResponseHead): Framing {
    if (head.status === 101) {
      throw switchedUnasked(this.#connection.peer.name);
    }
    return responseFraming(head, this.#request.method);
  }

  /** From now on somebody else may be waiting for us, over there. */
  #holdChallenge({ status }: ResponseHead): void {
    if ((status === 407 || status === 401) && this.#signOns.some((one) => one.withholdsBody)) {
      const connection = this.#connection;
      this.#challengeTimer = setTimeout(
        () => connection.fail(challengeLeft(connection.peer.name)),
        MAX_CHALLENGE_MS,
      );
    }
  }

  /** Some servers do not know `Expect` (RFC 9110 section 10.1.1): the request is sent once more without. */
  #refusedToBeAsked(head: ResponseHead): boolean {
    return head.status === 417 && this.#expects && !this.#uploaded;
  }

  /** A refusal of CONNECT that may be about the connection: it is asked for once more on a fresh one. */
  #onAnother(head: ResponseHead, first: boolean, decision: Decision): 'start-over' | null {
    if (this.#request.method !== 'CONNECT') {
      return null;
    }
    if (first && this.#refusedReuse(head)) {
      return this.#startOver('refused');
    }
    return decision.do === 'deliver' && this.#heldTooMany(head) ? this.#startOver() : null;
  }

  /** Some proxies open no tunnel on a connection that has served requests; others mean the address, and say so again. */
  #refusedReuse({ status }: ResponseHead): boolean {
    return this.#isFromPool && status >= 400 && status < 500 && status !== 407;
  }

  /** A limit on connections looks like any other refusal; what only waits is let go for what is wanted now. */
  #heldTooMany({ status }: ResponseHead): boolean {
    if (this.#isFromPool || this.#count.gaveBack) {
      return false;
    }
    this.#count.gaveBack = this.#hop.giveBack?.(status) === true;
    return this.#count.gaveBack;
  }

  /** The layer whose status it is decides; for the others the answer is a pass. */
  async #decide(head: ResponseHead, keeps: boolean): Promise<Decision> {
    publishLeg(() => this.#describe(head));
    let decision: Decision = { do: 'deliver' };
    for (const signOn of this.#signOns) {
      const one = await signOn.answer(head, keeps);
      decision = weight(one) > weight(decision) ? one : decision;
    }
    return decision;
  }

  async #send(): Promise<ResponseHead> {
    const connection = this.#connection;
    const { method, target, headers, encoding, upload } = this.#request;
    for (const signOn of this.#signOns) {
      await signOn.nextRequest();
    }
    const withheld = this.#signOns.some((signOn) => signOn.withholdsBody);
    const asksFirst = this.#asksFirst(upload, withheld);
    const sendsBody = upload !== null && !withheld;
    const all: HeaderField[] = [...headers];
    if (upload === null && EXPECTS_BODY.has(method)) {
      all.push(['Content-Length', '0']);
    }
    if (upload !== null) {
      all.push(...(sendsBody ? upload.headers : ([['Content-Length', '0']] as const)));
    }
    if (asksFirst) {
      all.push(['Expect', '100-continue']);
    }
    clearTimeout(this.#challengeTimer);
    connection.patienceMs = withheld ? this.#patience.handshakeMs : this.#patience.answerMs;
    connection.headMs = this.#patience.handshakeMs;
    connection.allow(withheld ? this.#patience.handshakeMs : null);
    const credentials = this.#signOns
      .map((signOn) => signOn.credentials)
      .filter((field) => field !== null);
    connection.writeHead(
      formatRequestHead({ method, target, headers: all, encoding, credentials }),
    );
    for (const signOn of this.#signOns) {
      signOn.sent(upload !== null && withheld);
    }
    this.#uploaded = true;
    return sendsBody && upload !== null ? this.#sendBody(upload, asksFirst) : connection.readHead();
  }

  /** What a scheme that signs requests takes in: the target as the server at the end sees it. */
  #signed(layer: Layer) {
    const { method, target, upload } = this.#request;
    const uri = layer === 'origin' ? originForm(target) : target;
    const body = upload === null ? new Uint8Array() : upload.bytes;
    return { method, uri, body, hasBody: upload !== null };
  }

  /** A body that can be sent only once waits for the server's word while a challenge may still come. */
  #asksFirst(upload: Upload | null, withheld: boolean): boolean {
    const challengeable = this.#signOns.some((signOn) => signOn.mayBeChallenged);
    return this.#expects && upload?.isOneShot === true && !withheld && challengeable;
  }

  async #sendBody(upload: Upload, asksFirst: boolean): Promise<ResponseHead> {
    let goAhead = (): void => undefined;
    const continued = new Promise<void>((resolve) => (goAhead = resolve));
    let answered = false;
    let isUnwanted = false;
    this.#owesBody = upload.length !== 0;
    const answer = this.#connection.readHead(goAhead).finally(() => {
      answered = true;
      goAhead();
    });
    // They are awaited below; until then a failure must not count as unhandled.
    answer.then(
      ({ status }) => (isUnwanted = status >= MIN_UNWANTED_STATUS),
      () => (isUnwanted = true),
    );
    if (asksFirst) {
      const timer = setTimeout(goAhead, CONTINUE_WAIT_MS);
      await Promise.race([answer, continued]).finally(() => clearTimeout(timer));
    }
    if (answered) {
      this.#uploaded = false;
      return answer;
    }
    this.#owesBody = false;
    this.#isUploading = true;
    const sent = upload.send(this.#connection, () => isUnwanted);
    // The body may stand still while the answer has come; after a good one it goes on being sent, as long as that is read.
    sent.catch(() => undefined);
    this.#uploaded = await Promise.race([sent, answer.then(isNotSent, isNotSent)]);
    this.#isUploading = !this.#uploaded || this.#connection.socket.destroyed;
    if (isUnwanted) {
      upload.abandon();
    }
    return answer;
  }

  /** @returns false when the connection is of no more use */
  async #drain(framing: Framing): Promise<boolean> {
    try {
      this.#connection.allow(this.#patience.handshakeMs);
      return await this.#connection.drain(framing, MAX_DRAIN_BYTES);
    } catch (error) {
      if (isSallyportError(error) && error.code === 'CONNECTION_LOST') {
        return false;
      }
      throw error;
    }
  }

  /**
   * @returns whether the next leg may go out on this connection
   * @throws SallyportError HANDSHAKE_CUT: it would have to, and cannot
   */
  async #goesOn(framing: Framing): Promise<boolean> {
    const isDrained = await this.#drain(framing);
    for (const signOn of isDrained ? [] : this.#signOns) {
      const cut = signOn.cutOff();
      if (cut !== null) {
        throw cut;
      }
    }
    return isDrained;
  }

  /** Silence then the end: worth a second try only when nothing can have happened on the other side. */
  #lost(error: unknown, first: boolean): 'start-over' {
    const silent = this.#connection.isSilent;
    if (!(isSallyportError(error) && error.code === 'CONNECTION_LOST' && silent)) {
      throw error;
    }
    for (const signOn of this.#signOns) {
      const verdict = signOn.lost(error);
      if (verdict === 'start-over') {
        return this.#startOver('lost');
      }
      if (verdict !== null && !this.#isUploading) {
        throw verdict;
      }
    }
    if (this.#isFromPool && first && (this.#owesBody || isRepeatable(this.#request))) {
      return this.#startOver('lost');
    }
    throw this.#isUploading ? uploadCut(this.#connection.peer.name, error) : error;
  }

  /** @param why by default: a connection that is signed on and asked again is refused, any other did serve */
  #startOver(why: Reuse = this.#connection.signedOn ? 'refused' : 'served'): 'start-over' {
    if (this.#isFromPool) {
      this.#count.reuse = why;
      // What ails this one may ail them all.
      this.#count.wantsFresh = true;
    }
    if (this.#count.opened >= MAX_CONNECTIONS) {
      throw new SallyportError(
        'HANDSHAKE_LOOP',
        `${this.#connection.peer.name} asks for sign-on again and again: gave up after ${MAX_CONNECTIONS} connections`,
      );
    }
    return 'start-over';
  }

  #describe(head: ResponseHead): LegEvent {
    const sent: Partial<Record<Layer, string>> = {};
    const offered: Partial<Record<Layer, string[]>> = {};
    const sentBytes: Partial<Record<Layer, number>> = {};
    const receivedBytes: Partial<Record<Layer, number>> = {};
    for (const signOn of this.#signOns) {
      const { layer, credentials } = signOn;
      const offers = signOn.offersIn(head);
      if (credentials !== null) {
        const [scheme = '', token = ''] = credentials[1].split(' ');
        sent[layer] = scheme;
        if (scheme !== 'Basic' && scheme !== 'Digest') {
          sentBytes[layer] = Buffer.byteLength(token, 'base64');
        }
      }
      if (offers.length > 0) {
        offered[layer] = offers.map(({ scheme }) => scheme);
      }
      const received = offers.find(({ token68 }) => token68 !== null)?.token68;
      if (received) {
        receivedBytes[layer] = Buffer.byteLength(received, 'base64');
      }
    }
    const { method, target } = this.#request;
    return {
      host: this.#connection.peer.name,
      // A query may hold a secret of the caller's.
      request: `${method} ${target.replace(/\?.*/, '')}`,
      sent,
      status: head.status,
      offered,
      tokenBytes: { sent: sentBytes, received: receivedBytes },
    };
  }
}

function isNotSent(): false {
  return false;
}

/** Whoever reads half of a body has let the sign-on pass, or gives up for the body: no reason to doubt either. */
function uploadCut(name: string, cause: SallyportError): SallyportError {
  return new SallyportError(
    'CONNECTION_LOST',
    `${name} closed the connection in the middle of an upload, without an answer`,
    {
      cause,
      hint: 'Try again. If it goes on, send it more slowly, or to an https:// address: squid 5 cuts uploads to http:// that come faster than it hands them on.',
    },
  );
}

/** What follows is no HTTP: for the next request it would be somebody's answer. */
function switchedUnasked(name: string): SallyportError {
  return new SallyportError(
    'RESPONSE_INVALID',
    `${name} answered 101 and changed the protocol, which nobody had asked for`,
    { hint: 'Check the address: is it a web server?' },
  );
}

function challengeLeft(name: string): SallyportError {
  const seconds = MAX_CHALLENGE_MS / 1000;
  return new SallyportError(
    'TIMEOUT',
    `The challenge of ${name} could not be answered within ${seconds} s, and was given up`,
    {
      waitedFor: 'answer',
      hint: 'Left alone it keeps others from signing on. Try again; if it goes on, that host sends its page too slowly, or the security library of this machine is slow.',
    },
  );
}

/** Absolute-form is for the proxy; the origin gets the path (RFC 9112 section 3.2). */
function originForm(target: string): string {
  return target.replace(/^http:\/\/[^/]*/i, '');
}

/** Of two layers' wishes the weightier counts: a fresh connection serves both. */
function weight(decision: Decision): number {
  if (decision.do === 'again') {
    return decision.connection === 'fresh' ? 3 : 2;
  }
  return decision.refusal === undefined ? 0 : 1;
}
