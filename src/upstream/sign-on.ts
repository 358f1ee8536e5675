// The state machine of one sign-on, towards a proxy (407) or an origin (401); one for CONNECT, forwarded requests and
// origins alike. Owns scheme changes, the count of refusals and the gate; reads and writes no socket.

import { createSession } from '../auth/create-session.ts';
import type { Identity } from '../auth/credentials.ts';
import { identityKey } from '../auth/credentials.ts';
import type { LogonGate, LogonTicket } from '../auth/logon-gate.ts';
import type { AllowedScheme, Mechanism, NegotiateForm } from '../auth/mechanisms.ts';
import { bindsConnection, schemeOf } from '../auth/mechanisms.ts';
import { pickScheme } from '../auth/pick-scheme.ts';
import { refusalError } from '../auth/refusals.ts';
import type { AuthSession, SchemeName } from '../auth/session.ts';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { Challenge } from '../http1/challenges.ts';
import {
  decodeToken68,
  formatCredentials,
  isScheme,
  parseChallenges,
} from '../http1/challenges.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { Layer } from '../observe/events.ts';
import { publishChoice } from '../observe/events.ts';
import type { Connection } from './connection.ts';
import type { HandshakeLimit } from './handshake-limit.ts';
import type { ProxyMemory } from './proxy-memory.ts';

/** What a sign-on needs to know of the server it speaks to and of the user. */
export interface SignOnScope {
  readonly layer: Layer;
  /** Host name without port: the place a secret is proven at, and part of the SPN. */
  readonly host: string;
  /** `host:port`, for messages and memory. */
  readonly name: string;
  readonly identity: Identity | null;
  /** The name alone, where its password is missing. */
  readonly user: string | null;
  readonly allow: readonly AllowedScheme[];
  readonly negotiateForm: NegotiateForm;
  readonly allowBasicHttp: boolean;
  readonly spn: string;
  /** Whether credentials travel inside TLS to this server. */
  readonly encrypted: boolean;
  /** An origin behind a forwarding proxy: its connection may be shared unless the proxy says it is not. */
  readonly behindForwardingProxy: boolean;
  readonly memory: ProxyMemory;
  readonly gate: LogonGate;
  readonly limit: HandshakeLimit;
}

/** What the loop is to do with an answer. */
export type Decision =
  | { readonly do: 'deliver'; readonly refusal?: SallyportError }
  | { readonly do: 'again'; readonly connection: 'same' | 'fresh' };

/**
 * - `quiet`: nothing of this sign-on is under way on this connection
 * - `negotiating`: a leg was sent that is not the last
 * - `last-leg`: the next answer is the verdict
 * - `signed-on`: this connection needs no more credentials
 */
type State = 'quiet' | 'negotiating' | 'last-leg' | 'signed-on';

/** NTLM takes 2, Kerberos 1 or 2, the rest is for SPNEGO restarts (protocol limit of the peers: 10). */
const MAX_LEGS = 10;

const DELIVER: Decision = { do: 'deliver' };
const SAME: Decision = { do: 'again', connection: 'same' };
const FRESH: Decision = { do: 'again', connection: 'fresh' };

export class SignOn {
  readonly layer: Layer;
  readonly #scope: SignOnScope;
  readonly #signal: AbortSignal;
  #state: State = 'quiet';
  #connection: Connection | null = null;
  #mechanism: Mechanism | null = null;
  #session: AuthSession | null = null;
  #ticket: LogonTicket | null = null;
  #leaveQueue = (): void => undefined;
  #token: Uint8Array | null = null;
  /** What was offered before anything was sent; during a handshake squid names only the scheme under way. */
  #offered: readonly Challenge[] | null = null;
  #legs = 0;
  #bodyWithheld = false;
  #startedOver = false;
  #signedOnAgain = false;

  constructor(scope: SignOnScope, signal: AbortSignal) {
    this.layer = scope.layer;
    this.#scope = scope;
    this.#signal = signal;
  }

  /** The header field to send with the next request, if any. */
  get credentials(): readonly [name: string, value: string] | null {
    if (this.#token === null || this.#mechanism === null) {
      return null;
    }
    const name = this.layer === 'proxy' ? 'Proxy-Authorization' : 'Authorization';
    return [name, formatCredentials(schemeOf(this.#mechanism), this.#token)];
  }

  /** True when the next request is known to be answered by a challenge: its body stays at home. */
  get withholdsBody(): boolean {
    return this.#state === 'negotiating';
  }

  /** True while the next answer may still ask for credentials. */
  get mayBeChallenged(): boolean {
    return this.#state === 'quiet';
  }

  /** The scheme that signed this connection on, or the request. */
  get scheme(): SchemeName | null {
    return this.#state === 'signed-on' && this.#mechanism !== null
      ? schemeOf(this.#mechanism)
      : null;
  }

  get identity(): Identity | null {
    return this.#scope.identity;
  }

  /** The challenges of an answer that are meant for this layer. */
  offersIn(head: ResponseHead): Challenge[] {
    const name = this.layer === 'proxy' ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    return parseChallenges(head.headers.all(name));
  }

  /**
   * A connection is about to be used. Where the mechanism is known, the first leg goes with the
   * first request; but never with one that has a body, unless it was challenged before: a server
   * that wants no sign-on would act on the empty request.
   *
   * @throws SallyportError CREDENTIALS_REFUSED, CREDENTIALS_INVALID
   */
  async begin(connection: Connection, hasBody: boolean): Promise<void> {
    this.#reset();
    this.#connection = connection;
    const remembered = this.#scope.memory.preferred(this.#scope.name);
    const mayBeginAtOnce = remembered !== null && !(hasBody && bindsConnection(remembered));
    const known = this.#mechanism ?? (mayBeginAtOnce ? remembered : null);
    if (this.layer === 'proxy' && connection.signedOn !== null) {
      this.#mechanism = remembered;
      this.#state = 'signed-on';
      return;
    }
    if (known !== null && this.#scope.identity !== null) {
      await this.#start(known, this.#scope.identity);
    }
  }

  /**
   * The request was written.
   *
   * @param bodyWithheld whether it has a body that stayed at home
   */
  sent(bodyWithheld: boolean): void {
    this.#bodyWithheld = bodyWithheld;
    if (this.#state === 'last-leg') {
      this.#ticket?.lastLegSent();
      this.#leaveQueue();
    }
  }

  /**
   * An answer has come.
   *
   * @param keeps whether another request may follow on this connection
   */
  async answer(head: ResponseHead, keeps: boolean): Promise<Decision> {
    if (this.#scope.behindForwardingProxy && head.status === 407) {
      // The proxy's own answer: the origin has seen nothing of this request.
      return DELIVER;
    }
    try {
      return await this.#judge(head, keeps);
    } catch (error) {
      if (!isSallyportError(error)) {
        throw error;
      }
      this.#endAttempt('undecided');
      return { do: 'deliver', refusal: this.#named(error) };
    }
  }

  /**
   * The connection ended before any byte of an answer.
   *
   * @returns whether to begin once more on a fresh connection; else the error to raise
   */
  lost(cause: Error): 'start-over' | SallyportError | null {
    if (this.#state === 'quiet' || this.#state === 'signed-on') {
      return null;
    }
    const onlyFirstLegSent = this.#state === 'negotiating' && this.#legs === 1;
    this.#endAttempt('undecided');
    if (onlyFirstLegSent && !this.#startedOver) {
      this.#startedOver = true;
      return 'start-over';
    }
    return this.#cut(cause);
  }

  /** Frees the session and gives the turn at the gate back. Called on every path. */
  end(): void {
    if (this.#state !== 'signed-on') {
      this.#reset();
    }
  }

  async #judge(head: ResponseHead, keeps: boolean): Promise<Decision> {
    if (head.status !== (this.layer === 'proxy' ? 407 : 401)) {
      return this.#passed(head);
    }
    const offers = this.offersIn(head);
    switch (this.#state) {
      case 'quiet':
        return this.#choose(offers, head, keeps);
      case 'negotiating':
        return this.#continue(offers, head, keeps);
      case 'last-leg':
        return this.#verdict(offers, keeps);
      case 'signed-on':
        return this.#signOnAgain();
    }
  }

  /** Any other status: the server is content with what it got (MS-NTHT 3.1.5.1). */
  async #passed(head: ResponseHead): Promise<Decision> {
    if (this.#state === 'last-leg') {
      await this.#verifyServer(head);
      this.#accept();
      return DELIVER;
    }
    if (this.#state === 'negotiating') {
      // It did not want credentials for this request after all.
      const withheld = this.#bodyWithheld;
      this.#mechanism = null;
      this.#reset();
      return withheld ? SAME : DELIVER;
    }
    return DELIVER;
  }

  async #choose(
    offers: readonly Challenge[],
    head: ResponseHead,
    keeps: boolean,
  ): Promise<Decision> {
    this.#offered = offers;
    const { identity, memory, name, host } = this.#scope;
    const { chosen, refusals } = pickScheme({
      offers,
      allow: this.#scope.allow,
      hasIdentity: identity !== null,
      setAside: memory.asideAt(name),
      negotiateForm: this.#scope.negotiateForm,
      encrypted: this.#scope.encrypted,
      allowBasicHttp: this.#scope.allowBasicHttp,
    });
    if (chosen === null || identity === null) {
      const refusal = refusalError({
        host: name,
        layer: this.layer,
        refusals,
        user: this.#scope.user,
      });
      this.#say(null, refusal.code);
      return { do: 'deliver', refusal };
    }
    this.#checkShared(chosen, head);
    this.#say(
      chosen,
      `${identity.typed} for ${host}, from ${offers.map(({ scheme }) => scheme).join(', ')}`,
    );
    this.#mechanism = chosen;
    if (!keeps) {
      return FRESH;
    }
    await this.#start(chosen, identity);
    return SAME;
  }

  async #continue(offers: Challenge[], head: ResponseHead, keeps: boolean): Promise<Decision> {
    const token = this.#tokenFor(offers);
    const next = token === null ? null : await this.#step(token);
    if (next === null) {
      return this.#setAside(head);
    }
    if (!keeps) {
      throw this.#cut();
    }
    this.#take(next);
    return SAME;
  }

  /** After the last leg: a further token continues Negotiate, everything else is a no, garbage included. */
  async #verdict(offers: Challenge[], keeps: boolean): Promise<Decision> {
    const token = this.#mechanism === 'negotiate-spnego' ? this.#tokenFor(offers) : null;
    const next = token === null ? null : await this.#step(token).catch(() => null);
    if (next !== null && keeps) {
      this.#take(next);
      return SAME;
    }
    const proven = this.#ticket?.proven ?? false;
    this.#endAttempt('refused');
    const refusal = proven ? this.#denied() : this.#refused();
    this.#say(null, refusal.code);
    return { do: 'deliver', refusal };
  }

  /** A signed-on connection is asked again: once more on a fresh one, then it is a denial. */
  #signOnAgain(): Decision {
    if (this.#signedOnAgain) {
      return { do: 'deliver', refusal: this.#denied() };
    }
    this.#signedOnAgain = true;
    this.#say(this.#mechanism, 'the signed-on connection was challenged again');
    return FRESH;
  }

  /** No credential was judged yet, so another scheme may be tried, on a fresh handshake. */
  #setAside(head: ResponseHead): Promise<Decision> | Decision {
    const refused = this.#mechanism;
    if (refused !== null) {
      this.#scope.memory.setAside(this.#scope.name, refused);
      this.#say(refused, 'set aside for 10 min: refused before any credential was judged');
    }
    this.#mechanism = null;
    this.#reset();
    return this.#offered === null ? FRESH : this.#choose(this.#offered, head, false);
  }

  async #start(mechanism: Mechanism, identity: Identity): Promise<void> {
    const { gate, limit, host, name, spn } = this.#scope;
    const key = `${this.layer} ${host} ${identityKey(identity)}`;
    this.#ticket = await gate.enter(key, name, this.#signal);
    this.#leaveQueue = await limit.enter(name, this.#signal);
    this.#mechanism = mechanism;
    this.#session = await createSession(mechanism, {
      identity,
      spn,
      channelBindings: await this.#channelBindings(),
    });
    this.#legs = 0;
    const first = await this.#session.step(null);
    if (first !== null) {
      this.#take(first);
    }
  }

  async #channelBindings(): Promise<Uint8Array | null> {
    const certificate =
      this.#connection?.peer.role === this.layer ? this.#connection.peerCertificate : null;
    if (certificate === null) {
      return null;
    }
    const { tlsServerEndPoint } = await import('../auth/tls-server-end-point.ts');
    return tlsServerEndPoint(certificate);
  }

  #take(token: Uint8Array): void {
    this.#legs += 1;
    if (this.#legs > MAX_LEGS) {
      throw new SallyportError('HANDSHAKE_LOOP', `The sign-on took more than ${MAX_LEGS} legs`);
    }
    this.#token = token;
    this.#state = this.#session?.complete ? 'last-leg' : 'negotiating';
  }

  async #step(token: string): Promise<Uint8Array | null> {
    return (await this.#session?.step(decodeToken68(token))) ?? null;
  }

  #accept(): void {
    const token = this.#token;
    this.#endAttempt('accepted');
    this.#state = 'signed-on';
    if (this.#mechanism === null || this.#connection === null) {
      return;
    }
    this.#scope.memory.learn(this.#scope.name, this.#mechanism);
    if (!bindsConnection(this.#mechanism)) {
      this.#token = token;
      return;
    }
    if (this.layer === 'proxy') {
      this.#connection.signedOn = {
        scheme: schemeOf(this.#mechanism),
        identity: identityKey(this.#scope.identity),
      };
    } else {
      this.#connection.tied = true;
    }
  }

  /** A token in the accepting answer is the server's own proof; a wrong one ends the matter. */
  async #verifyServer(head: ResponseHead): Promise<void> {
    const token = this.#tokenFor(this.offersIn(head));
    if (token !== null) {
      await this.#step(token);
    }
  }

  #tokenFor(offers: readonly Challenge[]): string | null {
    const scheme = this.#mechanism === null ? '' : schemeOf(this.#mechanism);
    const own = offers.filter((offer) => isScheme(offer, scheme));
    return own.find(({ token68 }) => token68 !== null)?.token68 ?? null;
  }

  /** RFC 4559 section 6: only this header says that nobody else shares the connection to the origin. */
  #checkShared(mechanism: Mechanism, head: ResponseHead): void {
    const pinned = head.headers.tokens('proxy-support').includes('session-based-authentication');
    if (this.#scope.behindForwardingProxy && bindsConnection(mechanism) && !pinned) {
      throw new SallyportError(
        'ORIGIN_NEEDS_TUNNEL',
        `${this.#scope.name} wants ${schemeOf(mechanism)} through a proxy that may share its connection with others`,
        { hint: 'Use the https:// address of that server, which goes through a tunnel.' },
      );
    }
  }

  #endAttempt(verdict: 'accepted' | 'refused' | 'undecided'): void {
    this.#ticket?.[verdict]();
    this.#ticket = null;
    this.#leaveQueue();
    this.#session?.[Symbol.dispose]();
    this.#session = null;
    this.#token = null;
    this.#state = 'quiet';
  }

  #reset(): void {
    this.#endAttempt('undecided');
    this.#bodyWithheld = false;
    this.#legs = 0;
  }

  #say(mechanism: Mechanism | null, reason: string): void {
    const { name } = this.#scope;
    publishChoice({ layer: this.layer, host: name, chosen: mechanism, reason });
  }

  #named(error: SallyportError): SallyportError {
    const { name } = this.#scope;
    return error.message.includes(name)
      ? error
      : new SallyportError(error.code, `${name}: ${error.message}`, {
          cause: error,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
  }

  #cut(cause?: Error): SallyportError {
    const scheme = this.#mechanism === null ? '' : ` by ${schemeOf(this.#mechanism)}`;
    return new SallyportError(
      'HANDSHAKE_CUT',
      `${this.#scope.name} closes the connection during a sign-on${scheme}`,
      {
        cause,
        hint: `Tell the people who run ${this.#scope.name}: a sign-on needs its connection to stay open.`,
      },
    );
  }

  #denied(): SallyportError {
    return new SallyportError(
      this.layer === 'proxy' ? 'PROXY_DENIED' : 'ORIGIN_DENIED',
      `${this.#scope.name} denies this URL to ${this.#who()}, whom it accepted before`,
      {
        hint: `Unless the password was changed meanwhile, ask the people who run ${this.#scope.name} for access.`,
      },
    );
  }

  #refused(): SallyportError {
    return new SallyportError(
      'CREDENTIALS_REFUSED',
      `${this.#scope.name} refused ${this.#who()}: the password is wrong, the account is disabled, locked or must change its password, or this URL is denied to it (the answers are alike)`,
      {
        hint: `They were sent once and are not sent again. ${this.#nameHint()}Check name and password, for example by signing in elsewhere, then try again.`,
      },
    );
  }

  /** The two slips that look like a wrong password. */
  #nameHint(): string {
    const typed = this.#who();
    if (this.#mechanism === 'basic') {
      return typed.includes('\\')
        ? 'For Basic this server may want the name without its domain. '
        : '';
    }
    return /[\\@]/.test(typed)
      ? ''
      : `The name was sent as ${typed}, without a domain; in a shell write "DOMAIN\\name" in quotes. `;
  }

  #who(): string {
    return this.#scope.identity?.typed ?? 'nobody';
  }
}
