// The state machine of one sign-on, towards a proxy (407) or an origin (401); one for CONNECT, forwarded requests and
// origins alike. Owns scheme changes, the count of refusals and the gate; reads and writes no socket.

import type { Identity } from '../auth/credentials.ts';
import { identityKey, mayGetTicket } from '../auth/credentials.ts';
import type { LogonGate, LogonRequest, LogonTicket } from '../auth/logons/logon-gate.ts';
import type { AllowedScheme, Mechanism, NegotiateForm } from '../auth/mechanisms.ts';
import { bindsConnection, schemeOf } from '../auth/mechanisms.ts';
import type { PickInput, Refusal } from '../auth/pick-scheme.ts';
import { pickScheme } from '../auth/pick-scheme.ts';
import { refusalError } from '../auth/refusals.ts';
import type { AuthSession, SchemeName } from '../auth/session.ts';
import type { SignOnRule } from '../auth/sign-on-rules.ts';
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
import type { ServiceNames } from './first-token.ts';
import { beginSession } from './first-token.ts';
import type { HandshakeLimit } from './handshake-limit.ts';
import type { ProxyMemory } from './proxy-memory.ts';
import type { Parties } from './sign-on-errors.ts';
import {
  about,
  cannotBegin,
  denied,
  handshakeCut,
  passwordRefused,
  ticketRefused,
} from './sign-on-errors.ts';

/** What a sign-on needs to know of the server it speaks to and of the user. */
export interface SignOnScope {
  readonly layer: Layer;
  /** Host name without port: the place a secret is proven at, and part of the SPN. */
  readonly host: string;
  /** `host:port`, for messages and memory. */
  readonly name: string;
  /** Where a password is judged, for the gate: all servers of one domain. */
  readonly realm: string;
  readonly identity: Identity | null;
  /** What may go there at all. */
  readonly rule: SignOnRule;
  /** The name alone, where its password is missing. */
  readonly user: string | null;
  readonly allow: readonly AllowedScheme[];
  readonly negotiateForm: NegotiateForm;
  readonly allowBasicHttp: boolean;
  readonly allowNtlm: boolean;
  readonly delegate: boolean;
  readonly serviceNames: Omit<ServiceNames, 'known'>;
  readonly securityLibrary: string | undefined;
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

/** Challenges of an answer, and its head. */
interface Offer {
  readonly offers: readonly Challenge[];
  readonly head: ResponseHead;
}

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
  /** The offer before anything was sent; during a handshake squid names only the scheme under way. */
  #offer: Offer | null = null;
  /** The service name of the session under way. */
  #spn = '';
  #principal: string | null = null;
  #legs = 0;
  #bodyWithheld = false;
  #startedOver = false;
  #signedOnAgain = false;

  constructor(scope: SignOnScope, signal: AbortSignal) {
    this.layer = scope.layer;
    this.#scope = scope;
    this.#signal = signal;
    const { identity, gate } = scope;
    if (identity?.kind === 'password') {
      gate.prepare(this.#logon(identity));
    }
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

  /** The name that signs on: as it was typed, or as the operating system tells. */
  get who(): string | null {
    const { identity } = this.#scope;
    return identity?.kind === 'system'
      ? (this.#principal ?? identity.typed)
      : (identity?.typed ?? null);
  }

  /** The challenges of an answer that are meant for this layer. */
  offersIn(head: ResponseHead): Challenge[] {
    const name = this.layer === 'proxy' ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    return parseChallenges(head.headers.all(name));
  }

  /**
   * A connection is about to be used. Where the mechanism is known or told, the first leg goes with the
   * first request; but never with one that has a body, unless it was challenged before: a server
   * that wants no sign-on would act on the empty request.
   *
   * @throws SallyportError CREDENTIALS_REFUSED, CREDENTIALS_INVALID
   */
  async begin(connection: Connection, hasBody: boolean): Promise<void> {
    this.#reset();
    this.#connection = connection;
    const { memory, name } = this.#scope;
    const remembered = memory.preferred(name);
    const isOneLeg = remembered?.proof === 'ticket' || remembered?.mechanism === 'basic';
    const mayBeginAtOnce = remembered !== null && (isOneLeg || !hasBody);
    const known =
      this.#mechanism ??
      (mayBeginAtOnce ? remembered.mechanism : null) ??
      (remembered === null && !hasBody ? this.#onlyChoice() : null);
    const { signedOn } = connection;
    if (this.layer === 'proxy' && signedOn !== null && !memory.wantsTokenEachTime(name)) {
      this.#mechanism = remembered?.mechanism ?? null;
      this.#principal = signedOn.principal;
      this.#state = 'signed-on';
      return;
    }
    const { identity } = this.#scope;
    if (known === null || identity === null || !this.#mayGo(identity)) {
      return;
    }
    if (!(await this.#start(known, identity)) && this.#offer !== null) {
      // The server is known to ask: the next mechanism begins without asking it again.
      await this.#choose(this.#offer, true);
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
      return { do: 'deliver', refusal: about(this.#scope.name, error) };
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
    if (this.#session?.proof === 'ticket') {
      // No account can be locked by it: a lost request like any other.
      this.#endAttempt('undecided');
      return null;
    }
    const onlyFirstLegSent = this.#state === 'negotiating' && this.#legs === 1;
    this.#endAttempt('undecided');
    if (onlyFirstLegSent && !this.#startedOver) {
      this.#startedOver = true;
      return 'start-over';
    }
    return handshakeCut(this.#parties, cause);
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
        return this.#choose({ offers, head }, keeps);
      case 'negotiating':
        return this.#continue(offers, keeps);
      case 'last-leg':
        return this.#verdict(offers, head, keeps);
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

  async #choose(offer: Offer, keeps: boolean): Promise<Decision> {
    this.#offer = offer;
    const { offers, head } = offer;
    while (true) {
      const { chosen, refusals } = pickScheme(this.#pickInput(offers));
      const { identity, rule } = this.#scope;
      if (chosen === null || identity === null || !this.#mayGo(identity)) {
        return this.#giveUp(offers, refusals);
      }
      this.#checkShared(chosen, head);
      const offered = offers.map(({ scheme }) => scheme).join(', ');
      this.#say(
        chosen,
        `${this.#parties.who} for ${this.#scope.host}, from ${offered}; ${rule.rule}`,
      );
      this.#mechanism = chosen;
      if (!keeps) {
        return FRESH;
      }
      if (await this.#start(chosen, identity)) {
        return SAME;
      }
    }
  }

  /** Told to use one scheme, the proxy need not be asked first; curl's --proxy-ntlm does so, too. */
  #onlyChoice(): Mechanism | null {
    const { allow } = this.#scope;
    const isTold = this.layer === 'proxy' && allow.length === 1 && allow[0] !== 'basic';
    return isTold ? pickScheme(this.#pickInput(parseChallenges(allow))).chosen : null;
  }

  #pickInput(offers: readonly Challenge[]): PickInput {
    const { identity, memory, name, allow, negotiateForm, encrypted } = this.#scope;
    const isSystem = identity?.kind === 'system';
    const hasKerberos = identity?.kind === 'password' && mayGetTicket(identity);
    return {
      offers,
      allow,
      identity: hasKerberos ? 'password-kerberos' : (identity?.kind ?? null),
      allowNtlm: this.#scope.allowNtlm && (!isSystem || this.#scope.rule.ntlm),
      setAside: new Set(memory.asideAt(name).keys()),
      negotiateForm,
      encrypted,
      allowBasicHttp: this.#scope.allowBasicHttp,
    };
  }

  #mayGo({ kind }: Identity): boolean {
    const { password, kerberos, ntlm } = this.#scope.rule;
    return kind === 'password' ? password : kerberos || ntlm;
  }

  /** Whether the rules keep the sign-on, or its NTLM, from this server. */
  get #isHeldBack(): boolean {
    const { identity, rule, allowNtlm } = this.#scope;
    const lacksNtlm = identity?.kind === 'system' && allowNtlm && !rule.ntlm;
    return identity !== null && (!this.#mayGo(identity) || lacksNtlm);
  }

  #giveUp(offers: readonly Challenge[], refusals: readonly Refusal[]): Decision {
    const { name, user, identity, rule, memory } = this.#scope;
    const refusal = refusalError({
      host: name,
      layer: this.layer,
      offered: offers.map(({ scheme }) => scheme),
      refusals,
      user,
      identity: identity?.kind ?? null,
      notTrusted: this.#isHeldBack ? rule.rule : null,
      causes: [...memory.asideAt(name).values()].filter((cause) => cause !== null),
    });
    this.#say(null, refusal.code);
    return { do: 'deliver', refusal };
  }

  async #continue(offers: Challenge[], keeps: boolean): Promise<Decision> {
    const token = this.#tokenFor(offers);
    const next = token === null ? null : await this.#step(token);
    if (next === null) {
      return this.#setAside();
    }
    if (!keeps) {
      throw handshakeCut(this.#parties);
    }
    this.#take(next);
    return SAME;
  }

  /** After the last leg: a further token continues Negotiate, everything else is a no, garbage included. */
  async #verdict(offers: Challenge[], head: ResponseHead, keeps: boolean): Promise<Decision> {
    const continues = this.#mechanism === 'negotiate-spnego' || this.#mechanism === 'negotiate';
    const token = continues ? this.#tokenFor(offers) : null;
    const next = token === null ? null : await this.#step(token).catch(() => null);
    if (next !== null && keeps) {
      this.#take(next);
      return SAME;
    }
    if (this.#session?.proof === 'ticket') {
      return this.#ticketRefused(offers, head);
    }
    const proven = this.#ticket?.proven ?? false;
    this.#endAttempt('refused');
    const isSystem = this.#scope.identity?.kind === 'system';
    const refusal = proven ? denied(this.#parties) : passwordRefused(this.#parties, isSystem);
    this.#say(null, refusal.code);
    return { do: 'deliver', refusal };
  }

  /** No password was judged: the next scheme may be tried, on a fresh handshake. */
  async #ticketRefused(offers: Challenge[], head: ResponseHead): Promise<Decision> {
    const { memory, name } = this.#scope;
    if (memory.doubtTicket(name)) {
      this.#endAttempt('undecided');
      const refusal = denied(this.#parties);
      this.#say(null, refusal.code);
      return { do: 'deliver', refusal };
    }
    const cause = ticketRefused(this.#parties, this.#spn);
    this.#aside('negotiate', cause);
    this.#mechanism = null;
    this.#reset();
    return this.#choose(this.#offer ?? { offers, head }, false);
  }

  /** A signed-on connection is asked again: once more on a fresh one, then it is a denial. */
  #signOnAgain(): Decision {
    if (this.#signedOnAgain) {
      return { do: 'deliver', refusal: denied(this.#parties) };
    }
    this.#signedOnAgain = true;
    if (this.#scope.memory.preferred(this.#scope.name)?.proof === 'ticket') {
      this.#scope.memory.learnTokenEachTime(this.#scope.name);
    }
    this.#say(this.#mechanism, 'the signed-on connection was challenged again');
    return FRESH;
  }

  /** No credential was judged yet, so another scheme may be tried, on a fresh handshake. */
  #setAside(): Promise<Decision> | Decision {
    if (this.#mechanism !== null) {
      this.#aside(this.#mechanism, null);
    }
    this.#mechanism = null;
    this.#reset();
    return this.#offer === null ? FRESH : this.#choose(this.#offer, false);
  }

  #aside(mechanism: Mechanism, cause: SallyportError | null): void {
    this.#scope.memory.setAside(this.#scope.name, mechanism, cause);
    const reason = cause?.message ?? 'refused before any credential was judged';
    this.#say(mechanism, `set aside for 10 min: ${reason}`);
  }

  /** @returns false when it cannot begin here: it is set aside, and nothing was sent */
  async #start(mechanism: Mechanism, identity: Identity): Promise<boolean> {
    const { gate, limit, name } = this.#scope;
    if (identity.kind === 'password') {
      this.#ticket = await gate.enter(this.#logon(identity), this.#signal);
    }
    this.#mechanism = mechanism;
    const first = await this.#firstToken(mechanism, identity);
    if (first === 'cannot-begin') {
      return false;
    }
    const proof = this.#session?.proof;
    if (identity.kind === 'system' && proof === 'password') {
      this.#ticket = await gate.enter(this.#logon(identity), this.#signal);
    }
    if (identity.kind === 'password' && proof === 'ticket') {
      // The KDC has judged the password by now; what the server judges is a ticket.
      this.#ticket?.accepted();
      this.#ticket = null;
    }
    this.#leaveQueue = await limit.enter(name, this.#signal);
    this.#legs = 0;
    if (first !== null) {
      this.#take(first);
    }
    return true;
  }

  async #firstToken(
    mechanism: Mechanism,
    identity: Identity,
  ): Promise<Uint8Array | null | 'cannot-begin'> {
    const { memory, name, serviceNames, allowNtlm, rule, delegate, securityLibrary } = this.#scope;
    try {
      const context = {
        identity,
        channelBindings: await this.#channelBindings(),
        allowNtlm: allowNtlm && (identity.kind === 'password' || rule.ntlm),
        delegate,
        securityLibrary,
      };
      const names = { ...serviceNames, known: memory.spn(name) };
      const { session, token, spn } = await beginSession(mechanism, context, names);
      this.#session = session;
      this.#spn = spn;
      this.#principal = session.principal;
      if (spn !== serviceNames.typed) {
        memory.learnSpn(name, spn);
      }
      if (identity.kind === 'system' || mechanism === 'negotiate') {
        this.#say(
          mechanism,
          `${session.description} as ${session.principal ?? this.#parties.who} for ${spn}`,
        );
      }
      return token;
    } catch (error) {
      if (!isSallyportError(error)) {
        throw error;
      }
      this.#endAttempt(error.code === 'CREDENTIALS_REFUSED' ? 'refused' : 'undecided');
      if (!cannotBegin(error)) {
        throw error;
      }
      this.#aside(mechanism, about(name, error));
      this.#mechanism = null;
      return 'cannot-begin';
    }
  }

  #logon(identity: Identity): LogonRequest {
    const { name, realm } = this.#scope;
    return identity.kind === 'password'
      ? { place: name, realm, account: identity.typed, secret: identity.password }
      : { place: name, realm, account: this.#principal ?? identity.typed, secret: null };
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
    const proof = this.#session?.proof ?? 'password';
    this.#endAttempt('accepted');
    this.#state = 'signed-on';
    if (this.#mechanism === null || this.#connection === null) {
      return;
    }
    this.#scope.memory.learn(this.#scope.name, { mechanism: this.#mechanism, proof });
    if (!bindsConnection(this.#mechanism)) {
      this.#token = token;
      return;
    }
    if (this.layer === 'proxy') {
      this.#connection.signedOn = {
        scheme: schemeOf(this.#mechanism),
        identity: identityKey(this.#scope.identity),
        principal: this.#principal,
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

  get #parties(): Parties {
    const { name } = this.#scope;
    return { layer: this.layer, name, who: this.who ?? 'nobody', mechanism: this.#mechanism };
  }
}
