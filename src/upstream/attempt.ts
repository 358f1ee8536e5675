// One try to sign on: its session, its turn at the gate and in the queue, and the token that goes out next. Owns the order
// these are got in, and that they are given back; what an answer means is `sign-on.ts`.
import type { Identity } from '../auth/credentials.ts';
import type { SignedRequest } from '../auth/digest-session.ts';
import type { LogonRequest, LogonTicket } from '../auth/logons/logon-gate.ts';
import type { Mechanism } from '../auth/mechanisms.ts';
import { bindsConnection } from '../auth/mechanisms.ts';
import type { AuthSession, SchemeName } from '../auth/session.ts';
import { signsRequests } from '../auth/session.ts';
import type { DigestChallenge } from '../digest/digest-challenge.ts';
import { isSallyportError, SallyportError } from '../errors/sallyport-error.ts';
import { decodeToken68 } from '../http1/challenges.ts';
import { untilAborted } from './first-starts.ts';
import type { Begun } from './first-token.ts';
import { beginSession } from './first-token.ts';
import type { Place } from './handshake-limit.ts';
import type { SignOnScope } from './sign-on-scope.ts';

/** NTLM takes 2, Kerberos 1 or 2, the rest is for SPNEGO restarts (protocol limit of the peers: 10). */
const MAX_LEGS = 10;

export interface AttemptInput {
  readonly identity: Identity;
  readonly channelBindings: Uint8Array | null;
  readonly request: SignedRequest;
  /** What Digest is to answer; `null` begins with what this server took before. */
  readonly digest: DigestChallenge | null;
  readonly scope: SignOnScope;
  readonly signal: AbortSignal;
}

/** Begins what the gate will need, while the connection is still being made. */
export function prepareAttempt({ identity, gate, ...scope }: SignOnScope): void {
  if (identity?.kind === 'password') {
    gate.prepare(logonOf(identity, null, null, scope));
  }
}

/**
 * Waits for the turn at the gate and in the queue, and makes the first token. Nothing is sent, but that a domain
 * controller may be asked.
 *
 * @returns `null` when the mechanism was set aside while it waited
 * @throws SallyportError CREDENTIALS_REFUSED, CREDENTIALS_INVALID, and why this mechanism cannot begin here
 * @throws the reason of the signal
 */
export async function beginAttempt(
  mechanism: Mechanism,
  input: AttemptInput,
): Promise<Attempt | null> {
  const { identity, scope, signal } = input;
  const enter: EnterGate = (principal) =>
    scope.gate.enter(logonOf(identity, principal, mechanism, scope), signal);
  let ticket = identity.kind === 'password' ? await enter(null) : null;
  let session: AuthSession | null = null;
  try {
    const begun = await firstToken(mechanism, input, ticket);
    if (begun === null) {
      ticket?.undecided();
      return null;
    }
    session = begun.session;
    if (identity.kind === 'system' && session.proof === 'password') {
      ticket = await enter(session.principal);
    }
    if (identity.kind === 'password' && session.proof === 'ticket') {
      // The KDC has judged the password by now; what the server judges is a ticket.
      ticket?.accepted();
      ticket = null;
    }
    let place = await scope.limit.enter(scope.name, signal);
    while (ticket?.isInDoubt) {
      // Those who wait for a turn hold no place: whoever goes first needs one.
      place.leave();
      ticket.undecided();
      ticket = null;
      ticket = await enter(identity.kind === 'password' ? null : session.principal);
      place = await scope.limit.enter(scope.name, signal);
    }
    return new Attempt(mechanism, begun, ticket, place, enter);
  } catch (error) {
    const isRefusal = isSallyportError(error) && error.code === 'CREDENTIALS_REFUSED';
    ticket?.[isRefusal ? 'refused' : 'undecided']();
    session?.[Symbol.dispose]();
    throw error;
  }
}

type EnterGate = (principal: string | null) => Promise<LogonTicket>;

/** @returns `null` when the mechanism was set aside while it waited */
async function firstToken(
  mechanism: Mechanism,
  input: AttemptInput,
  ticket: LogonTicket | null,
): Promise<Begun | null> {
  const { identity, scope, signal } = input;
  const { memory, name, starts } = scope;
  const isKnown = memory.preferred(name)?.mechanism === mechanism;
  const asksSystem = identity.kind === 'system' || mechanism === 'negotiate';
  const leave = asksSystem && !isKnown ? await starts.enter(name, signal) : () => undefined;
  try {
    if (memory.asideAt(name).has(mechanism)) {
      return null;
    }
    if (identity.kind === 'system' && mechanism === 'negotiate' && !isKnown) {
      return await withKeytabGuard(scope, signal, () => makeToken(mechanism, input, ticket));
    }
    return await makeToken(mechanism, input, ticket);
  } finally {
    leave();
  }
}

async function makeToken(
  mechanism: Mechanism,
  { identity, channelBindings, request, digest: challenge, scope, signal }: AttemptInput,
  ticket: LogonTicket | null,
): Promise<Begun> {
  const { memory, name, serviceNames, rule, delegate, securityLibrary } = scope;
  const allowNtlm = scope.allowNtlm && (identity.kind === 'password' || rule.ntlm);
  const names = { ...serviceNames, known: memory.spn(name) };
  const digest = { server: name, nonces: scope.nonces, request, challenge };
  const context = { identity, channelBindings, allowNtlm, delegate, securityLibrary, digest };
  try {
    const begun = await untilAborted(
      beginSession(mechanism, context, names),
      signal,
      ({ session }) => session[Symbol.dispose](),
    );
    if (begun.spn !== serviceNames.typed) {
      memory.learnSpn(name, begun.spn);
    }
    return begun;
  } catch (error) {
    if (isSallyportError(error) && error.code === 'KDC_UNREACHABLE' && error.native === undefined) {
      // Given up by us: the password may be on its way, and its refusal unheard.
      ticket?.lastLegSent();
    }
    throw error;
  }
}

/**
 * The signed-in user may be a service whose keytab holds an old password: a KDC counts each try with it as a wrong one.
 * A ticket cache never comes to that, so nobody is held up: only a refusal is remembered, for all processes.
 */
async function withKeytabGuard(
  { gate, name, realm }: SignOnScope,
  signal: AbortSignal,
  work: () => Promise<Begun>,
): Promise<Begun> {
  const logon = { place: name, realm, account: 'the Kerberos keytab', secret: null };
  (await gate.enter(logon, signal)).undecided();
  try {
    return await work();
  } catch (error) {
    if (isSallyportError(error) && error.code === 'CREDENTIALS_REFUSED') {
      (await gate.enter(logon, signal)).refused();
    }
    throw error;
  }
}

/** What Digest is checked against is a password file, not the domain: what one says of a name is nothing to the other. */
function accountOf({ typed }: Identity, mechanism: Mechanism | null): string {
  return mechanism === 'digest' ? `${typed} (Digest)` : typed;
}

function logonOf(
  identity: Identity,
  principal: string | null,
  mechanism: Mechanism | null,
  { name, realm }: Pick<SignOnScope, 'name' | 'realm'>,
): LogonRequest {
  const place = { place: name, realm };
  return identity.kind === 'password'
    ? { ...place, account: accountOf(identity, mechanism), secret: identity.password }
    : { ...place, account: principal ?? identity.typed, secret: null };
}

export class Attempt {
  /** The service name it is for. */
  readonly spn: string;
  /** The token that goes with the next request. */
  token: Uint8Array | null;
  /** Requests this attempt has made tokens for. */
  legs = 1;
  /** By the monotonic clock, in milliseconds. */
  readonly begunAt: number = performance.now();
  /** Stale nonces in a row. */
  renewals = 0;
  readonly #mechanism: Mechanism;
  readonly #session: AuthSession;
  #ticket: LogonTicket | null;
  readonly #place: Place;
  readonly #enter: EnterGate;
  #isSent = false;
  #sentAt = 0;

  constructor(
    mechanism: Mechanism,
    { session, token, spn }: Begun,
    ticket: LogonTicket | null,
    place: Place,
    enter: EnterGate,
  ) {
    this.#enter = enter;
    this.#mechanism = mechanism;
    this.#session = session;
    this.token = token;
    this.spn = spn;
    this.#ticket = ticket;
    this.#place = place;
  }

  /** Whether the answer to `token` is the verdict. */
  get isLastLeg(): boolean {
    return this.#session.complete;
  }

  /** Whether a token behind the last leg goes on with it; a fresh NTLM challenge there would cost a second logon. */
  get mayContinue(): boolean {
    return (
      this.#mechanism === 'negotiate-spnego' ||
      (this.#mechanism === 'negotiate' && this.proof === 'ticket')
    );
  }

  /** Asked behind a step: whether the last leg is better not sent, for others were refused meanwhile with the same password. */
  get isInDoubt(): boolean {
    return this.isLastLeg && this.#ticket?.isInDoubt === true;
  }

  /** Whether this password was accepted in this realm before. */
  get wasProven(): boolean {
    return this.#ticket?.proven ?? false;
  }

  get scheme(): SchemeName {
    return this.#session.scheme;
  }

  get proof(): AuthSession['proof'] {
    return this.#session.proof;
  }

  get principal(): string | null {
    return this.#session.principal;
  }

  get description(): string {
    return this.#session.description;
  }

  /** The realm of the last credentials, where the scheme signs requests. */
  get realm(): string | null {
    return signsRequests(this.#session) ? this.#session.realm : null;
  }

  /** Whether the next answer may ask for credentials once more, though these are right. */
  get mayBeStale(): boolean {
    return signsRequests(this.#session);
  }

  /** Whether what was signed on is the connection; else each request is, which any connection may carry. */
  get bindsConnection(): boolean {
    return bindsConnection(this.#mechanism);
  }

  /** Made and not sent yet, and good on any connection. */
  get isPortable(): boolean {
    return !(this.#isSent || this.bindsConnection);
  }

  /** The request with `token` was written. */
  sent(): void {
    this.#isSent = true;
    this.#sentAt = performance.now();
    if (this.isLastLeg) {
      this.#ticket?.lastLegSent();
      this.#place.leave();
    }
  }

  /**
   * Takes a challenge.
   *
   * @returns whether there is a next token; false when this side has nothing more to say
   * @throws SallyportError HANDSHAKE_LOOP, and those of `AuthSession.step`
   */
  async step(challenge: string): Promise<boolean> {
    if (this.legs === 1 && !this.isLastLeg) {
      this.#place.challenged(performance.now() - this.#sentAt);
    }
    const next = await this.#session.step(decodeToken68(challenge));
    if (next === null) {
      return false;
    }
    this.legs += 1;
    if (this.legs > MAX_LEGS) {
      throw new SallyportError('HANDSHAKE_LOOP', `The sign-on took more than ${MAX_LEGS} legs`);
    }
    if (this.proof === 'password' && this.#ticket === null) {
      // Kerberos has become NTLM on the way, as SSPI's Negotiate may: now it is a password that is judged.
      this.#ticket = await this.#enter(this.principal);
    }
    this.token = next;
    return true;
  }

  /** The first leg was refused for want of an authenticator: fewer are begun from now on. */
  wasTurnedAway(): void {
    this.#place.challenged(Number.POSITIVE_INFINITY);
  }

  /** Credentials for one more request, where each has its own; else those there are serve again. */
  async nextRequest(): Promise<void> {
    if (this.#isSent && signsRequests(this.#session)) {
      this.token = await this.#session.step(null);
      this.#isSent = false;
    }
  }

  /** The nonce was stale, which says nothing of the password: the next request goes out under this one. */
  async renew(challenge: DigestChallenge): Promise<void> {
    if (signsRequests(this.#session)) {
      this.#session.renew(challenge);
      this.legs += 1;
      this.renewals += 1;
      await this.nextRequest();
    }
  }

  /** The verdict, once, on every path. Credentials for requests serve on until `forget`. */
  end(verdict: 'accepted' | 'refused' | 'undecided'): void {
    this.#ticket?.[verdict]();
    this.#place.leave();
    if (verdict !== 'accepted' || this.bindsConnection) {
      this.forget();
    } else {
      this.passed();
    }
  }

  /** One more request was let through by the credentials that were accepted before. */
  passed(): void {
    this.renewals = 0;
    if (signsRequests(this.#session)) {
      this.#session.accepted();
    }
  }

  forget(): void {
    this.#session[Symbol.dispose]();
  }
}
