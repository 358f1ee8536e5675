// The engine every front door stands on: tunnels and requests by whatever route the settings name. Owns the wiring of
// dialling, sign-on, exchange and pool, and nothing of what these do.

import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { identityKey } from '../auth/credentials.ts';
import { DigestNonces } from '../auth/digest-nonces.ts';
import type { LogonGate, LogonRequest, LogonTicket } from '../auth/logons/logon-gate.ts';
import { processLogonGate } from '../auth/logons/logon-gate.ts';
import { realmOf } from '../auth/logons/logon-realm.ts';
import { bindsConnection } from '../auth/mechanisms.ts';
import type { SchemeName } from '../auth/session.ts';
import { SallyportError } from '../errors/sallyport-error.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { HeaderField } from '../http1/header-list.ts';
import { VERSION } from '../observe/version.ts';
import type { ProxyAddress, Route } from '../route/route.ts';
import { BodyReader } from './body-reader.ts';
import type { ClientTie } from './client-tie.ts';
import { signsOnConnection } from './client-tie.ts';
import type { Peer } from './connection.ts';
import { Connection } from './connection.ts';
import type { DialOptions } from './dial.ts';
import { dialTcp, secure } from './dial.ts';
import type { Answer, Hop, WireRequest } from './exchange.ts';
import { exchange, isRepeatable } from './exchange.ts';
import { FirstStarts } from './first-starts.ts';
import { HandshakeLimit, NotNow } from './handshake-limit.ts';
import { isLoopbackToken } from './loopback-token.ts';
import { Pool } from './pool.ts';
import { ProxyMemory } from './proxy-memory.ts';
import type { ReadyPlace } from './ready-connections.ts';
import { QUIET_MS, ReadyConnections } from './ready-connections.ts';
import { ResponseBody } from './response-body.ts';
import { serviceNames } from './service-names.ts';
import type { UpstreamSettings } from './settings.ts';
import { SignOn } from './sign-on.ts';
import type { SignOnScope } from './sign-on-scope.ts';
import type { Target } from './target.ts';
import { parseTarget, parseUrl, targetName, targetOf } from './target.ts';
import { tunnelRefused } from './tunnel-refused.ts';
import type { RequestOptions } from './wire-request.ts';
import { wireRequest } from './wire-request.ts';

/** What every answer tells about how it was got. */
interface Passage {
  readonly route: Route;
  /** The scheme that signed on to the proxy, or `null` when it asked for none. */
  readonly scheme: SchemeName | null;
  /** The name that signed on, as it was typed. */
  readonly identity: string | null;
  /** Requests the proxy saw for it, those of a sign-on included; on a direct route, the origin. */
  readonly legs: number;
  /** Connections that were opened for it. */
  readonly connections: number;
}

interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Lower-case names; lines of one name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name, value, name, value, ... as received. */
  readonly rawHeaders: readonly string[];
}

/** The answer to a CONNECT, whatever it was. */
export interface ConnectResult extends AnswerHead, Passage {
  /** Bytes that came behind the head: the first of the tunnel, or of the proxy's page. */
  readonly head: Buffer;
  /** The connection, now the caller's: a tunnel after 2xx, else the rest of the proxy's page. */
  readonly socket: Socket;
  /** Why a 407 stands: what `openTunnel` throws. */
  readonly refusal: SallyportError | null;
}

export interface HttpResponse extends AnswerHead, Passage {
  readonly url: string;
  readonly body: Readable;
  /** Why a 401 of a trusted origin stands. */
  readonly refusal: SallyportError | null;
}

/** An answer as it came, for a program that hands it on. */
export interface RelayedAnswer extends Passage {
  readonly head: ResponseHead;
  /** Is read to its end, or destroyed; the signal destroys it as well. */
  readonly body: BodyReader;
  readonly refusal: SallyportError | null;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** What goes into `Via` of the CONNECT: a program that is itself a proxy knows by it what comes back to it. */
  readonly via?: string;
  /**
   * Where a direct connection may go, by the address that was found: a program that asks for others keeps its own loopback
   * closed to them by it. Default: anywhere.
   */
  readonly mayReach?: (address: string) => boolean;
}

/** What a client of its own is told beside its settings. */
export interface UpstreamDeps {
  /**
   * Connections to be signed on ahead for CONNECT, at most, for each proxy (docs/decisions/ready-connections.md). Default
   * 0: only a program that runs for a while should make any.
   */
  readonly warm?: number;
  /** How long these wait without another CONNECT, in milliseconds. Default 60,000. */
  readonly quietMs?: number;
  /** A monotonic clock in milliseconds, by which what was set aside ages, and demand. */
  readonly now?: () => number;
}

type ProxyRoute = Route & { readonly kind: 'proxy' };

/** What is the same for all requests by one route. */
interface Approach {
  readonly scope: SignOnScope;
  /** An upstream has one set of schemes, so proxy and identity are the whole key. */
  readonly poolKey: string;
}

/** A client of its own pool and memory. Close it when done; its idle connections keep no process alive. */
export class Upstream implements AsyncDisposable {
  readonly #settings: UpstreamSettings;
  readonly #gate: LogonGate;
  readonly #pool: Pool;
  readonly #ready: ReadyConnections;
  readonly #limit = new HandshakeLimit();
  readonly #starts = new FirstStarts();
  readonly #memory: ProxyMemory;
  readonly #nonces = new DigestNonces();
  readonly #approaches = new WeakMap<ProxyRoute, Approach>();

  constructor(
    settings: UpstreamSettings,
    gate: LogonGate = processLogonGate,
    { warm = 0, quietMs = QUIET_MS, now = () => performance.now() }: UpstreamDeps = {},
  ) {
    this.#settings = settings;
    this.#gate = gate;
    this.#memory = new ProxyMemory(now);
    this.#pool = new Pool(now);
    this.#ready = new ReadyConnections({ pool: this.#pool, most: warm, quietMs, now });
  }

  /** @throws SallyportError URL_INVALID, PROXY_URL_INVALID, NO_PROXY_INVALID */
  routeFor(url: URL): Route {
    return this.#settings.routeFor(url);
  }

  /**
   * Opens a connection to `host:port`: CONNECT through the proxy its route names, or directly.
   *
   * @returns the final answer, 407 included; a direct connection counts as 200
   * @throws SallyportError when there is no answer: dialling, timeouts, HANDSHAKE_CUT, garbage, and
   *   CREDENTIALS_REFUSED when they were refused before and therefore not sent
   */
  async connect(target: string | Target, options: ConnectOptions = {}): Promise<ConnectResult> {
    const parsed = parseTarget(target);
    const route = this.#routeTo(parsed);
    return this.#connect(parsed, route, signalOf(options), options);
  }

  /**
   * The 2xx case of `connect`: a socket to the target, early bytes already put back into it.
   *
   * @throws SallyportError as `connect`, the refusal of a 407, and PROXY_REFUSED for any other answer
   */
  async openTunnel(target: string | Target, options: ConnectOptions = {}): Promise<Socket> {
    const parsed = parseTarget(target);
    const route = this.#routeTo(parsed);
    return (await this.#tunnel(parsed, route, signalOf(options), options)).socket;
  }

  /**
   * Sends a request and returns its final answer, the body as a stream. Redirects are not followed.
   *
   * @throws SallyportError as `openTunnel`; the refusal of an origin's 401 is its answer, not thrown
   */
  async request(address: string | URL, options: RequestOptions = {}): Promise<HttpResponse> {
    const url = parseUrl(address);
    const signal = signalOf(options);
    const { head, body, ...rest } = await this.#send(url, options, signal);
    return { ...answerHead(head), ...rest, url: url.href, body: streamOf(body, signal) };
  }

  /**
   * As `request`, without a stream of Node's and what it costs a small answer.
   *
   * @internal
   * @param options with a signal that any number may listen to
   * @throws SallyportError as `request`
   */
  async relay(
    url: URL,
    options: RequestOptions & { readonly signal: AbortSignal },
  ): Promise<RelayedAnswer> {
    return this.#send(url, options, options.signal);
  }

  /** Ends the idle connections. */
  async close(): Promise<void> {
    this.#ready.close();
    this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send(url: URL, options: RequestOptions, signal: AbortSignal): Promise<RelayedAnswer> {
    const route = this.#settings.routeFor(url);
    const forwards = route.kind === 'proxy' && url.protocol === 'http:';
    const request = wireRequest(url, options, forwards);
    return forwards
      ? this.#forward(url, route, request, signal, options.tie)
      : this.#askOrigin(url, route, request, signal, options);
  }

  async #forward(
    url: URL,
    route: ProxyRoute,
    request: WireRequest,
    signal: AbortSignal,
    tie: ClientTie | undefined,
  ): Promise<RelayedAnswer> {
    const origin = this.#originSignOns(url, true, signal);
    const tieKey = `${this.#hopKey(route.proxy)} ${url.origin}`;
    const takeTied = () => tie?.take(this, tieKey) ?? null;
    const { scope, poolKey: key } = await this.#approachTo(route);
    const signOn = new SignOn(scope, signal);
    const mayRepeat = isRepeatable(request) && request.upload?.isOneShot !== true;
    // What is not signed on is cheap to open, and no reason to risk a request that cannot be repeated.
    const isFit = ({ signedOn }: Connection): boolean => signedOn !== null || mayRepeat;
    const hop: Hop = {
      open: () => this.#reachProxy(route.proxy, signal),
      takeIdle: () => takeTied() ?? this.#pool.take(key, 'used', isFit),
    };
    const signOns = [signOn, ...origin];
    const answer = await exchange({ hop, request, signOns, patience: this.#patience, signal });
    if (answer.head.status === 407) {
      answer.connection.destroy();
      throw answer.refusal ?? unexplained407(route.proxy);
    }
    const keepTied = tied(answer, request, this.#keeper(tie, tieKey));
    const free = (connection: Connection): void => {
      const fit = answer.keeps && !connection.tied;
      fit ? this.#pool.put(key, connection) : keepTied(connection);
    };
    return relayed(answer, signal, passage(route, answer, signOn), free);
  }

  async #askOrigin(
    url: URL,
    route: Route,
    request: WireRequest,
    signal: AbortSignal,
    options: RequestOptions,
  ): Promise<RelayedAnswer> {
    const key = `${route.kind === 'proxy' ? this.#hopKey(route.proxy) : 'direct'} ${url.origin}`;
    const tunnel: { passage: Passage | null } = { passage: null };
    const signOns = this.#originSignOns(url, false, signal);
    const hop: Hop = {
      takeIdle: () => options.tie?.take(this, key) ?? null,
      open: async () => {
        const reached = await this.#reachOrigin(url, route, signal, options);
        tunnel.passage = reached.passage;
        return reached.connection;
      },
    };
    const answer = await exchange({ hop, request, signOns, patience: this.#patience, signal });
    const through = tunnel.passage ?? passage(route, answer, null);
    return relayed(answer, signal, through, tied(answer, request, this.#keeper(options.tie, key)));
  }

  /** The route of a bare `host:port` is that of an https URL. */
  #routeTo(target: Target): Route {
    return this.#settings.routeFor(new URL(`https://${targetName(target)}/`));
  }

  async #connect(
    target: Target,
    route: Route,
    signal: AbortSignal,
    how: ConnectOptions,
  ): Promise<ConnectResult> {
    const name = targetName(target);
    if (route.kind === 'direct') {
      const peer = originPeer(target);
      const socket = await dialTcp(target.host, target.port, peer, {
        ...this.#dialOptions(signal),
        ...(how.mayReach === undefined ? {} : { mayReach: how.mayReach }),
      });
      return {
        ...{ status: 200, reason: 'Connected', headers: {}, rawHeaders: [] },
        ...{ socket, head: Buffer.alloc(0), route, scheme: null, identity: null },
        ...{ legs: 0, connections: 1, refusal: null },
      };
    }
    const { answer, signOn } = await this.#connectThrough(route, name, signal, how.via);
    return {
      ...answerHead(answer.head),
      ...passage(route, answer, signOn),
      ...answer.connection.detach(),
      refusal: answer.refusal,
    };
  }

  async #connectThrough(
    route: ProxyRoute,
    name: string,
    signal: AbortSignal,
    via: string | undefined,
  ): Promise<{ answer: Answer; signOn: SignOn }> {
    const { scope, poolKey: key } = await this.#approachTo(route);
    const signOn = new SignOn(scope, signal);
    this.#ready.asked(this.#readyPlace(route, key));
    const hop: Hop = {
      open: () => this.#reachProxy(route.proxy, signal),
      takeIdle: () => (this.#ready.mayReuse(key) ? this.#pool.take(key, 'ready') : null),
      giveBack: (status) => this.#ready.giveBack(key, status),
    };
    const answer = await exchange({
      ...{ hop, signal, signOns: [signOn], patience: this.#patience },
      request: {
        method: 'CONNECT',
        target: name,
        headers: [
          ...ownHeaders(name, `sallyport/${VERSION}`),
          ...(via === undefined ? [] : ([['Via', via]] as const)),
        ],
        upload: null,
      },
    });
    this.#ready.answered(key, answer);
    return { answer, signOn };
  }

  #readyPlace(route: ProxyRoute, key: string): ReadyPlace {
    const proxy = targetName(route.proxy);
    return { key, proxy, make: (signal) => this.#signOnAhead(route, proxy, signal) };
  }

  /** By a request that is cheap for the proxy, and is told from others by its User-Agent. */
  async #signOnAhead(
    route: ProxyRoute,
    proxy: string,
    signal: AbortSignal,
  ): Promise<Answer | null> {
    const known = this.#memory.preferred(proxy);
    if (
      known === null ||
      !bindsConnection(known.mechanism) ||
      this.#memory.wantsTokenEachTime(proxy)
    ) {
      return null;
    }
    setMaxListeners(0, signal);
    const { scope } = await this.#approachTo(route);
    const turns: Pick<SignOnScope, 'gate' | 'limit'> = {
      gate: { prepare: () => undefined, enter: (request) => this.#enterTrusted(request) },
      limit: { enter: (name, aborted) => this.#limit.enterAhead(name, aborted) },
    };
    const signOn = new SignOn({ ...scope, ...turns }, signal);
    return exchange({
      hop: { open: () => this.#reachProxy(route.proxy, signal), takeIdle: () => null },
      request: {
        method: 'HEAD',
        target: `http://${proxy}/`,
        headers: ownHeaders(proxy, `sallyport/${VERSION} (signs on ahead)`),
        upload: null,
      },
      ...{ signOns: [signOn], patience: this.#patience, signal },
    });
  }

  /** @throws NotNow where this would be a try to find out whether the secret is right */
  async #enterTrusted(request: LogonRequest): Promise<LogonTicket> {
    const ticket = await this.#gate.enterTrusted(request);
    if (ticket === null) {
      throw new NotNow();
    }
    return ticket;
  }

  async #tunnel(
    target: Target,
    route: Route,
    signal: AbortSignal,
    how: ConnectOptions,
  ): Promise<ConnectResult> {
    const result = await this.#connect(target, route, signal, how);
    if (result.status >= 200 && result.status < 300) {
      if (result.head.length > 0) {
        result.socket.unshift(result.head);
      }
      return result;
    }
    result.socket.on('error', () => undefined).destroy();
    const proxy = route.kind === 'proxy' ? targetName(route.proxy) : 'the proxy';
    throw result.refusal ?? tunnelRefused(proxy, targetName(target), result);
  }

  async #reachProxy(proxy: ProxyAddress, signal: AbortSignal): Promise<Connection> {
    const peer: Peer = { role: 'proxy', name: targetName(proxy) };
    const options = this.#dialOptions(signal);
    const socket = await dialTcp(proxy.host, proxy.port, peer, options);
    const encrypted = proxy.scheme === 'https';
    return new Connection(
      encrypted ? await secure(socket, proxy.host, peer, options) : socket,
      peer,
    );
  }

  /** A connection that speaks HTTP with the origin itself: through a tunnel or directly. */
  async #reachOrigin(
    url: URL,
    route: Route,
    signal: AbortSignal,
    how: ConnectOptions,
  ): Promise<{ connection: Connection; passage: Passage | null }> {
    const target = targetOf(url);
    const peer = originPeer(target);
    const result = await this.#tunnel(target, route, signal, how);
    const { socket, scheme, identity, legs, connections } = result;
    const encrypted = url.protocol === 'https:';
    const spoken = encrypted
      ? await secure(socket, target.host, peer, this.#dialOptions(signal))
      : socket;
    return {
      connection: new Connection(spoken, peer),
      passage: route.kind === 'direct' ? null : { route, scheme, identity, legs, connections },
    };
  }

  async #approachTo(route: ProxyRoute): Promise<Approach> {
    const known = this.#approaches.get(route);
    if (known !== undefined) {
      return known;
    }
    const { proxy } = route;
    const scope = await this.#scopeOf(route);
    const approach = {
      scope,
      poolKey: `${this.#hopKey(proxy)} ${identityKey(scope.identity)}`,
    };
    this.#approaches.set(route, approach);
    return approach;
  }

  async #scopeOf({ proxy, source }: ProxyRoute): Promise<SignOnScope> {
    const settings = this.#settings;
    const identity = await settings.identityFor(proxy);
    const common = this.#commonScope(proxy, settings.spn);
    const isToken = isLoopbackToken(proxy, identity);
    return {
      ...common,
      layer: 'proxy',
      identity,
      allow: isToken ? ['basic'] : common.allow,
      allowBasicHttp: isToken || common.allowBasicHttp,
      user: settings.userFor(proxy),
      rule: settings.ruleFor(proxy, source),
      delegate: false,
      encrypted: proxy.scheme === 'https',
      behindForwardingProxy: false,
    };
  }

  /** None for an origin that is not on the allow-list: its 401 is simply its answer. */
  #originSignOns(url: URL, behindForwardingProxy: boolean, signal: AbortSignal): SignOn[] {
    const settings = this.#settings;
    const target = targetOf(url);
    if (!settings.isTrustedOrigin(target) || settings.getsNoSignOn(target)) {
      return [];
    }
    const scope: SignOnScope = {
      ...this.#commonScope(target, undefined),
      layer: 'origin',
      identity: settings.originIdentity,
      user: settings.originUser,
      rule: { password: true, kerberos: true, ntlm: true, rule: `${target.host} is trusted` },
      delegate: settings.mayDelegateTo(target),
      encrypted: url.protocol === 'https:',
      behindForwardingProxy,
    };
    return [new SignOn(scope, signal)];
  }

  /** What a sign-on is told whatever its layer. */
  #commonScope({ host, port }: Target, spn: string | undefined) {
    const { allow, negotiateForm, allowBasicHttp, allowNtlm, securityLibrary, spnCanonical } =
      this.#settings;
    return {
      host,
      name: targetName({ host, port }),
      realm: realmOf(host),
      allow,
      negotiateForm,
      allowBasicHttp,
      allowNtlm,
      securityLibrary,
      serviceNames: serviceNames(host, spn, spnCanonical),
      memory: this.#memory,
      nonces: this.#nonces,
      gate: this.#gate,
      limit: this.#limit,
      starts: this.#starts,
    };
  }

  #dialOptions(signal: AbortSignal): DialOptions {
    const { connectTimeoutMs: timeoutMs, trust } = this.#settings;
    return { timeoutMs, signal, trust };
  }

  get #patience(): { handshakeMs: number; answerMs: number } {
    const { handshakeTimeoutMs: handshakeMs, idleTimeoutMs: answerMs } = this.#settings;
    return { handshakeMs, answerMs };
  }

  #keeper(tie: ClientTie | undefined, key: string): ((connection: Connection) => void) | null {
    return tie === undefined ? null : (connection) => tie.put(this, key, connection);
  }

  #hopKey(proxy: ProxyAddress): string {
    return `${proxy.scheme} ${targetName(proxy)}`;
  }
}

/** Any number of requests may share the caller's signal: Node's warning of a leak would be wrong. */
function signalOf({ signal }: ConnectOptions): AbortSignal {
  if (signal === undefined) {
    return new AbortController().signal;
  }
  setMaxListeners(0, signal);
  return signal;
}

function ownHeaders(host: string, userAgent: string): HeaderField[] {
  return [
    ['Host', host],
    ['User-Agent', userAgent],
    ['Proxy-Connection', 'Keep-Alive'],
  ];
}

function originPeer(target: Target): Peer {
  return { role: 'origin', name: targetName(target) };
}

function answerHead({ status, reason, headers }: ResponseHead): AnswerHead {
  return { status, reason, headers: headers.toObject(), rawHeaders: headers.toRaw() };
}

function passage(route: Route, answer: Answer, signOn: SignOn | null): Passage {
  const scheme = answer.refusal === null ? (signOn?.scheme ?? null) : null;
  return {
    route,
    scheme,
    identity: scheme === null ? null : (signOn?.who ?? null),
    legs: answer.legs,
    connections: answer.connectionsOpened,
  };
}

function relayed(
  { head, framing, connection, refusal }: Answer,
  signal: AbortSignal,
  through: Passage,
  onFree: (connection: Connection) => void,
): RelayedAnswer {
  const body = new BodyReader({ connection, framing, signal, onFree });
  return { head, body, refusal, ...through };
}

function streamOf(reader: BodyReader, signal: AbortSignal): Readable {
  const abort = (): void => void body.destroy(signal.reason);
  const forget = (): void => signal.removeEventListener('abort', abort);
  signal.addEventListener('abort', abort, { once: true });
  const body = new ResponseBody(reader);
  // Aborted before somebody reads it, it tells the reader who comes; without a listener it would end the process.
  body.on('error', () => undefined);
  return body.once('close', forget);
}

/** What becomes of a connection that is not pooled; marks it as soon as an origin begins to sign somebody on. */
function tied(
  { head, keeps, connection: own }: Answer,
  { headers }: WireRequest,
  keep: ((connection: Connection) => void) | null,
): (connection: Connection) => void {
  own.tied ||= signsOnConnection(headers, head);
  return (connection) => {
    keep !== null && keeps && connection.tied ? keep(connection) : connection.destroy();
  };
}

function unexplained407(proxy: ProxyAddress): SallyportError {
  return new SallyportError('PROXY_REFUSED', `${targetName(proxy)} answered 407`);
}
