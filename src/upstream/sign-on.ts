// The state machine of one sign-on, towards a proxy (407) or an origin (401); one for CONNECT, forwarded requests and
// origins alike. Owns what an answer means, scheme changes and refusals; reads and writes no socket.

import { setTimeout } from 'node:timers/promises';
import type { Identity } from '../auth/credentials.ts';
import { identityKey, mayGetTicket } from '../auth/credentials.ts';
import { nextNonceIn, strongestDigest } from '../auth/digest-offers.ts';
import type { SignedRequest } from '../auth/digest-session.ts';
import type { Mechanism } from '../auth/mechanisms.ts';
import { bindsConnection, isNtlm, needsPassword, schemeOf } from '../auth/mechanisms.ts';
import type { PickInput, Refusal } from '../auth/pick-scheme.ts';
import { pickScheme } from '../auth/pick-scheme.ts';
import { refusalError } from '../auth/refusals.ts';
import type { SchemeName } from '../auth/session.ts';
import type { DigestChallenge } from '../digest/digest-challenge.ts';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import type { Challenge } from '../http1/challenges.ts';
import { formatCredentials, isScheme, parseChallenges } from '../http1/challenges.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { HandshakeEvent, Layer } from '../observe/events.ts';
import { publishChoice, publishHandshake } from '../observe/events.ts';
import type { Attempt } from './attempt.ts';
import { beginAttempt, prepareAttempt } from './attempt.ts';
import type { Connection } from './connection.ts';
import type { Preference } from './proxy-memory.ts';
import type { Parties } from './sign-on-errors.ts';
import {
  about,
  busy,
  cannotBegin,
  denied,
  handshakeCut,
  nonceLoop,
  passwordRefused,
  ticketRefused,
} from './sign-on-errors.ts';
import type { SignOnScope } from './sign-on-scope.ts';

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
 * - `negotiating`: a leg was sent, or is about to be, that is not the last
 * - `last-leg`: the next answer is the verdict
 * - `signed-on`: this connection needs no more credentials
 */
type State = 'quiet' | 'negotiating' | 'last-leg' | 'signed-on';

/** Of one request: each stale nonce costs a round trip, and a server that never stops is broken. */
const MAX_STALE_NONCES = 2;
/** First legs that a proxy turns away which has taken them before, and the pause behind the first; each is twice the last. */
const MAX_TIMES_TURNED_AWAY = 3;
const BUSY_PAUSE_MS = 200;

const DELIVER: Decision = { do: 'deliver' };
const SAME: Decision = { do: 'again', connection: 'same' };
const FRESH: Decision = { do: 'again', connection: 'fresh' };

export class SignOn {
  readonly layer: Layer;
  readonly #scope: SignOnScope;
  readonly #signal: AbortSignal;
  #connection: Connection | null = null;
  /** The one that was chosen, or is known to work; it outlives connections. */
  #mechanism: Mechanism | null = null;
  #attempt: Attempt | null = null;
  #isSignedOn = false;
  /** Was accepted, and goes with every request: Basic and Digest. */
  #standing: Attempt | null = null;
  #request: SignedRequest = { method: '', uri: '', body: null };
  /** The offer before anything was sent; during a handshake squid names only the scheme under way. */
  #offer: Offer | null = null;
  #principal: string | null = null;
  #bodyWithheld = false;
  #startedOver = false;
  #signedOnAgain = false;
  #timesTurnedAway = 0;
  #wasTicketRefused = false;

  constructor(scope: SignOnScope, signal: AbortSignal) {
    this.layer = scope.layer;
    this.#scope = scope;
    this.#signal = signal;
  }

  /** A connection is being made, which will be signed on: begins what takes its time. */
  prepare(): void {
    prepareAttempt(this.#scope);
  }

  /** The header field to send with the next request, if any. */
  get credentials(): readonly [name: string, value: string] | null {
    const token = (this.#attempt ?? this.#standing)?.token ?? null;
    if (token === null || this.#mechanism === null) {
      return null;
    }
    const name = this.layer === 'proxy' ? 'Proxy-Authorization' : 'Authorization';
    return [name, formatCredentials(schemeOf(this.#mechanism), token)];
  }

  /** True when the next request is known to be answered by a challenge: its body stays at home. */
  get withholdsBody(): boolean {
    return this.#state === 'negotiating';
  }

  /** True while the next answer may still ask for credentials: a refused ticket is followed by another scheme, a nonce by the next. */
  get mayBeChallenged(): boolean {
    const standing = this.#attempt ?? this.#standing;
    const mayBeRefused = this.#attempt?.proof === 'ticket' || standing?.mayBeStale === true;
    return this.#state === 'quiet' || mayBeRefused;
  }

  /** True between the first token and the verdict, unless the password is known to be right and nothing is bound to it. */
  get holdsTurn(): boolean {
    const attempt = this.#attempt;
    return attempt !== null && (attempt.bindsConnection || !attempt.wasProven);
  }

  /** The scheme that signed this connection on, or the request. */
  get scheme(): SchemeName | null {
    return this.#isSignedOn && this.#mechanism !== null ? schemeOf(this.#mechanism) : null;
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
   * @param request what is sent, and whether a body comes with it
   * @param mayStart false while the other layer's sign-on holds a turn: both may need the same
   * @throws SallyportError CREDENTIALS_REFUSED, CREDENTIALS_INVALID
   */
  async begin(
    connection: Connection,
    request: SignedRequest & { readonly hasBody: boolean },
    mayStart: boolean,
  ): Promise<void> {
    this.#connection = connection;
    this.#request = request;
    if (this.#attempt?.isPortable) {
      return;
    }
    this.#reset();
    const { memory, name } = this.#scope;
    const remembered = memory.preferred(name);
    const known = this.#mechanism ?? this.#beginsWith(remembered, request.hasBody);
    const { identity } = this.#scope;
    const held = this.layer === 'proxy' ? connection.signedOn : connection.originSignedOn;
    if (held?.identity === identityKey(identity) && !memory.wantsTokenEachTime(name)) {
      this.#mechanism = remembered?.mechanism ?? null;
      this.#principal = held.principal;
      this.#isSignedOn = true;
      return;
    }
    if (!mayStart || known === null || identity === null || !this.#mayUse(known, identity)) {
      return;
    }
    if (!(await this.#start(known, identity)) && this.#offer !== null) {
      // The server is known to ask: the next mechanism begins without asking it again.
      await this.#choose(this.#offer, true);
    }
  }

  /** Before each request on the connection but the first. */
  async nextRequest(): Promise<void> {
    await (this.#attempt ?? this.#standing)?.nextRequest();
  }

  /**
   * The request was written.
   *
   * @param bodyWithheld whether it has a body that stayed at home
   */
  sent(bodyWithheld: boolean): void {
    this.#bodyWithheld = bodyWithheld;
    (this.#attempt ?? this.#standing)?.sent();
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
      return this.#refuse(about(this.#scope.name, error));
    }
  }

  /**
   * The connection ended before any byte of an answer.
   *
   * @returns whether to begin once more on a fresh connection; else the error to raise
   */
  lost(cause: Error): 'start-over' | SallyportError | null {
    const attempt = this.#attempt;
    if (attempt === null) {
      return null;
    }
    const onlyFirstLegSent = !attempt.isLastLeg && attempt.legs === 1;
    this.#endAttempt('undecided');
    if (attempt.proof === 'ticket' || (attempt.wasProven && !attempt.bindsConnection)) {
      // Neither can an account be locked by it, nor a connection miss it: a lost request like any other.
      return null;
    }
    if (onlyFirstLegSent && !this.#startedOver) {
      this.#startedOver = true;
      return 'start-over';
    }
    return handshakeCut(this.#parties, cause);
  }

  /**
   * The connection is gone behind an answer that was judged.
   *
   * @returns the error to raise where the next leg belongs to that connection
   */
  cutOff(): SallyportError | null {
    const attempt = this.#attempt;
    const isBound = attempt !== null && attempt.legs > 1 && !attempt.isPortable;
    return isBound ? handshakeCut(this.#parties) : null;
  }

  /** Another connection follows: what hung on this one is over. */
  leave(): void {
    if (!this.#attempt?.isPortable) {
      this.end();
    }
  }

  /** Frees the session and gives the turn at the gate back. Called on every path. */
  end(): void {
    if (!this.#isSignedOn) {
      this.#reset();
    }
    this.#standing?.forget();
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
        return this.#askedAgain({ offers, head }, keeps);
    }
  }

  /** Any other status: the server is content with what it got (MS-NTHT 3.1.5.1). */
  async #passed(head: ResponseHead): Promise<Decision> {
    const attempt = this.#attempt;
    if (attempt?.isLastLeg) {
      await this.#verifyServer(attempt, head);
      this.#accept(attempt);
      this.#followNonce(head);
      return DELIVER;
    }
    if (attempt !== null) {
      // It did not want credentials for this request after all.
      const withheld = this.#bodyWithheld;
      this.#mechanism = null;
      this.#reset();
      return withheld ? SAME : DELIVER;
    }
    if (this.#standing !== null) {
      this.#standing.passed();
      this.#followNonce(head);
    }
    return DELIVER;
  }

  async #choose(offer: Offer, keeps: boolean): Promise<Decision> {
    this.#offer = offer;
    const { offers, head } = offer;
    while (true) {
      this.#signal.throwIfAborted();
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

  /** Never with a body that could not be withheld, unless these credentials are whole. */
  #beginsWith(remembered: Preference | null, hasBody: boolean): Mechanism | null {
    if (remembered === null) {
      return hasBody ? null : this.#onlyChoice();
    }
    const { mechanism, proof } = remembered;
    if (mechanism === 'digest' && this.#scope.nonces.known(this.#scope.name) === null) {
      return null;
    }
    const isOneLeg = proof === 'ticket' || !bindsConnection(mechanism);
    return isOneLeg || !hasBody ? mechanism : null;
  }

  /** Told to use one scheme, the proxy need not be asked first; curl's --proxy-ntlm does so, too. */
  #onlyChoice(): Mechanism | null {
    const { allow } = this.#scope;
    const [only] = allow;
    const isTold = allow.length === 1 && only !== undefined && !needsPassword(only);
    return isTold && this.layer === 'proxy'
      ? pickScheme(this.#pickInput(parseChallenges(allow))).chosen
      : null;
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

  /** What is remembered was learned on another route, perhaps: the rules of this one count. */
  #mayUse(mechanism: Mechanism, identity: Identity): boolean {
    const { allowNtlm } = this.#pickInput([]);
    return this.#mayGo(identity) && (allowNtlm || !isNtlm(mechanism));
  }

  #mayGo({ kind }: Identity): boolean {
    const { password, kerberos, ntlm } = this.#scope.rule;
    return kind === 'password' ? password : kerberos || ntlm;
  }

  /** Whether the rules keep the sign-on, or its NTLM, from this server. */
  get #isHeldBack(): boolean {
    const { identity, rule, allowNtlm } = this.#scope;
    if (identity === null) {
      // A name whose password is missing: asking for it would be for nothing.
      return this.#scope.user !== null && !rule.password;
    }
    const lacksNtlm = identity.kind === 'system' && allowNtlm && !rule.ntlm;
    return !this.#mayGo(identity) || lacksNtlm;
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
      causes: causesIn(memory.asideAt(name)),
    });
    return this.#refuse(refusal);
  }

  async #continue(offers: Challenge[], keeps: boolean): Promise<Decision> {
    const token = this.#tokenFor(offers);
    if (token === null || !(await this.#attempt?.step(token))) {
      return this.#setAside();
    }
    if (!keeps) {
      throw handshakeCut(this.#parties);
    }
    if (this.#attempt?.isInDoubt) {
      this.#endAttempt('undecided');
      return FRESH;
    }
    return SAME;
  }

  /** After the last leg: a further token continues Negotiate, everything else is a no, garbage included. */
  async #verdict(offers: Challenge[], head: ResponseHead, keeps: boolean): Promise<Decision> {
    const attempt = this.#attempt;
    const unjudged = this.#unjudged(offers);
    if (attempt !== null && unjudged !== null) {
      return this.#renew(attempt, unjudged, { offers, head }, keeps);
    }
    const token = attempt?.mayContinue ? this.#tokenFor(offers) : null;
    if (token !== null && keeps && (await attempt?.step(token).catch(() => false))) {
      return SAME;
    }
    if (attempt?.proof === 'ticket') {
      return this.#ticketRefused(attempt, { offers, head });
    }
    this.#endAttempt('refused');
    const isSystem = this.#scope.identity?.kind === 'system';
    return this.#refuse(
      attempt?.wasProven
        ? denied(this.#parties, this.#wasAcceptedHere)
        : passwordRefused(this.#parties, isSystem),
    );
  }

  /** A Digest challenge that says nothing of the password: stale, or of another realm than the one that was remembered. */
  #unjudged(offers: readonly Challenge[]): DigestChallenge | null {
    const digest = this.#mechanism === 'digest' ? strongestDigest(offers) : null;
    const realm = (this.#attempt ?? this.#standing)?.realm;
    const isOtherRealm = this.#offer === null && digest?.realm !== realm;
    return digest?.isStale || isOtherRealm ? digest : null;
  }

  /** The offer is picked from as any other: a new nonce is no way round what may not be answered. */
  async #renew(
    attempt: Attempt,
    challenge: DigestChallenge,
    offer: Offer,
    keeps: boolean,
  ): Promise<Decision> {
    const { chosen, refusals } = pickScheme(this.#pickInput(offer.offers));
    if (chosen !== 'digest') {
      this.#endAttempt('undecided');
      return this.#giveUp(offer.offers, refusals);
    }
    if (attempt.renewals >= MAX_STALE_NONCES) {
      this.#endAttempt('undecided');
      return this.#refuse(nonceLoop(this.#parties));
    }
    this.#offer = offer;
    await attempt.renew(challenge);
    return keeps ? SAME : FRESH;
  }

  /** Credentials that were accepted may be stale at the next request; else it is the connection that is asked again. */
  #askedAgain(offer: Offer, keeps: boolean): Promise<Decision> | Decision {
    const unjudged = this.#unjudged(offer.offers);
    return this.#standing !== null && unjudged !== null
      ? this.#renew(this.#standing, unjudged, offer, keeps)
      : this.#signOnAgain(offer.offers);
  }

  /** No password was judged: the next scheme may be tried, on a fresh handshake. */
  async #ticketRefused({ spn }: Attempt, offer: Offer): Promise<Decision> {
    const { memory, name } = this.#scope;
    if (memory.doubtTicket(name)) {
      this.#endAttempt('undecided');
      return this.#refuse(denied(this.#parties, this.#wasAcceptedHere));
    }
    this.#aside('negotiate', ticketRefused(this.#parties, spn));
    this.#wasTicketRefused = true;
    this.#mechanism = null;
    this.#reset();
    return this.#choose(this.#offer ?? offer, false);
  }

  /** A signed-on connection is asked again: once more on a fresh one, then it is a denial. */
  #signOnAgain(offers: readonly Challenge[]): Decision {
    // Without an offer nothing is asked for: it is a denial, or the word of a web server that a proxy passed on.
    if (this.#signedOnAgain || offers.length === 0) {
      return { do: 'deliver', refusal: denied(this.#parties, this.#wasAcceptedHere) };
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
    const known = this.#scope.memory.preferred(this.#scope.name)?.mechanism;
    if (this.#mechanism !== null && known === this.#mechanism) {
      return this.#comeBackLater();
    }
    if (this.#mechanism !== null) {
      this.#aside(this.#mechanism, null);
    }
    this.#mechanism = null;
    this.#reset();
    return this.#offer === null ? FRESH : this.#choose(this.#offer, false);
  }

  /** It has taken this mechanism before: its authenticators are busy, perhaps with ours. */
  async #comeBackLater(): Promise<Decision> {
    this.#attempt?.wasTurnedAway();
    this.#reset();
    if (this.#timesTurnedAway === MAX_TIMES_TURNED_AWAY) {
      return this.#refuse(busy(this.#parties));
    }
    this.#say(this.#mechanism, 'turned away, and taken before: once more in a moment');
    await setTimeout(BUSY_PAUSE_MS * 2 ** this.#timesTurnedAway, undefined, {
      signal: this.#signal,
    });
    this.#timesTurnedAway += 1;
    return FRESH;
  }

  #aside(mechanism: Mechanism, cause: SallyportError | null): void {
    const seconds = this.#scope.memory.setAside(this.#scope.name, mechanism, cause) / 1000;
    const reason = cause?.message ?? 'refused before any credential was judged';
    const duration = seconds < 60 ? `${seconds} s` : `${seconds / 60} min`;
    this.#say(mechanism, `set aside for ${duration}: ${reason}`);
  }

  /** @returns false when it cannot begin here: it is set aside, and nothing was sent */
  async #start(mechanism: Mechanism, identity: Identity): Promise<boolean> {
    this.#mechanism = mechanism;
    try {
      const attempt = await beginAttempt(mechanism, {
        identity,
        channelBindings: await this.#channelBindings(),
        request: this.#request,
        digest: strongestDigest(this.#offer?.offers ?? []),
        scope: this.#scope,
        signal: this.#signal,
      });
      if (attempt === null) {
        this.#mechanism = null;
        return false;
      }
      this.#attempt = attempt;
      this.#principal = attempt.principal;
      if (identity.kind === 'system' || mechanism === 'negotiate') {
        const who = attempt.principal ?? this.#parties.who;
        this.#say(mechanism, `${attempt.description} as ${who} for ${attempt.spn}`);
      }
      return true;
    } catch (error) {
      if (!isSallyportError(error) || !cannotBegin(error)) {
        this.#restoreTicket();
        throw error;
      }
      this.#aside(mechanism, about(this.#scope.name, error));
      this.#mechanism = null;
      return false;
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

  #accept(attempt: Attempt): void {
    const { proof } = attempt;
    this.#endAttempt('accepted');
    this.#isSignedOn = true;
    if (this.#mechanism === null || this.#connection === null) {
      return;
    }
    this.#scope.memory.learn(this.#scope.name, { mechanism: this.#mechanism, proof });
    if (!bindsConnection(this.#mechanism)) {
      this.#standing = attempt;
      return;
    }
    const signedOn = {
      scheme: schemeOf(this.#mechanism),
      identity: identityKey(this.#scope.identity),
      principal: this.#principal,
    };
    if (this.layer === 'proxy') {
      this.#connection.signedOn = signedOn;
    } else {
      this.#connection.originSignedOn = signedOn;
      this.#connection.tied = true;
    }
  }

  #followNonce({ headers }: ResponseHead): void {
    const field = this.layer === 'proxy' ? 'Proxy-Authentication-Info' : 'Authentication-Info';
    const nonce = this.#mechanism === 'digest' ? nextNonceIn(headers.first(field)) : null;
    if (nonce !== null) {
      this.#scope.nonces.follow(this.#scope.name, nonce);
    }
  }

  /** A token in the accepting answer is the server's own proof; a wrong one ends the matter. */
  async #verifyServer(attempt: Attempt, head: ResponseHead): Promise<void> {
    const token = this.#tokenFor(this.offersIn(head));
    if (token !== null) {
      await attempt.step(token);
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

  get #state(): State {
    if (this.#isSignedOn) {
      return 'signed-on';
    }
    if (this.#attempt === null) {
      return 'quiet';
    }
    return this.#attempt.isLastLeg ? 'last-leg' : 'negotiating';
  }

  #refuse(refusal: SallyportError): Decision {
    this.#restoreTicket();
    this.#say(null, refusal.code);
    return { do: 'deliver', refusal };
  }

  /** No other scheme did better, so it is the URL, perhaps; a ticket costs nothing to be tried at the next one. */
  #restoreTicket(): void {
    if (this.#wasTicketRefused) {
      this.#scope.memory.takeBack(this.#scope.name, 'negotiate');
    }
  }

  #endAttempt(verdict: 'accepted' | 'refused' | 'undecided'): void {
    this.#tellEnd(verdict);
    this.#attempt?.end(verdict);
    this.#attempt = null;
    this.#standing?.forget();
    this.#standing = null;
    this.#isSignedOn = false;
  }

  #tellEnd(outcome: HandshakeEvent['outcome']): void {
    const attempt = this.#attempt;
    if (attempt !== null) {
      publishHandshake(() => ({
        layer: this.layer,
        host: this.#scope.name,
        scheme: attempt.scheme,
        outcome,
        legs: attempt.legs,
        durationMs: performance.now() - attempt.begunAt,
      }));
    }
  }

  #reset(): void {
    this.#endAttempt('undecided');
    this.#bodyWithheld = false;
  }

  #say(mechanism: Mechanism | null, reason: string): void {
    const { name } = this.#scope;
    publishChoice({ layer: this.layer, host: name, chosen: mechanism, reason });
  }

  get #wasAcceptedHere(): boolean {
    return this.#scope.memory.preferred(this.#scope.name) !== null;
  }

  get #parties(): Parties {
    const { name } = this.#scope;
    return { layer: this.layer, name, who: this.who ?? 'nobody', mechanism: this.#mechanism };
  }
}

/** Why mechanisms could not begin, Kerberos first: it is the one a user can do most about. */
function causesIn(aside: ReadonlyMap<Mechanism, SallyportError | null>): SallyportError[] {
  const kerberos = aside.get('negotiate') ?? null;
  return [kerberos, ...aside.values()].filter((cause) => cause !== null);
}
