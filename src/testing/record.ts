// What a proxy saw: counters and a log of requests. Owns the promise that neither holds a password or a token.
import type { HeaderField } from '../http1/header-list.ts';
import { redactHeader } from '../observe/redact.ts';
import type { RefusalReason } from './acceptors/acceptor.ts';
import type { Authenticators } from './authenticators.ts';
import type { ClientRequest } from './client-request.ts';
import type { Decision, Leg, ProxyScheme } from './sign-on.ts';

/** One request and how it was answered. */
export interface ProxyLogEntry {
  /** Number of the connection, from 1, in the order they were accepted. */
  readonly connection: number;
  /** Number of the request on its connection, from 1. */
  readonly request: number;
  readonly method: string;
  readonly target: string;
  /** Fields as sent; of credentials only the scheme is left. */
  readonly headers: readonly HeaderField[];
  /** Bytes of the request's body read so far. */
  readonly bodyBytes: number;
  /** The scheme of the credentials or, without any, of the connection's sign-on. */
  readonly scheme: ProxyScheme | null;
  readonly leg: Leg;
  /** `DOMAIN\name` or `name`; for a refused last leg, the user it named. */
  readonly user: string | null;
  readonly reason: RefusalReason | null;
  /** `null`: the connection was reset instead. */
  readonly status: number | null;
}

export interface ProxyCounts {
  readonly connections: number;
  /** Request heads read. */
  readonly requests: number;
  /** Requests without credentials that were answered 407. */
  readonly challenges: number;
  /** Handshakes begun (NTLM type 1, SPNEGO's first token). */
  readonly handshakes: number;
  /** Handshakes brought to their last leg (NTLM type 3), good or bad, by user; Basic and Digest have no handshake. */
  readonly finalLegs: Readonly<Record<string, number>>;
  /** Credentials refused, of any scheme, by user: what an account lockout policy would count; a stale nonce is none. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Credentials refused, of any scheme and for any reason. */
  readonly refused: number;
  /** Tunnels opened. */
  readonly tunnels: number;
  /** Requests forwarded whose answer came back. */
  readonly forwarded: number;
  /** Of `few-authenticators`: first legs that had to wait for one, and those that waited in vain. */
  readonly authenticatorWaits: number;
  readonly authenticatorsBusy: number;
  /** The longest time one was reserved by an unanswered challenge, in milliseconds. */
  readonly longestReservationMs: number;
}

/** A request being answered. */
export interface Exchange {
  readonly request: ClientRequest;
  readonly decision: Decision;
  readonly at: { readonly connection: number; readonly request: number };
}

/** Counters and log of one proxy. */
export class ProxyRecord {
  readonly log: ProxyLogEntry[] = [];
  connections = 0;
  requests = 0;
  tunnels = 0;
  forwarded = 0;
  #challenges = 0;
  #handshakes = 0;
  #refused = 0;
  readonly #finalLegs = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #authenticators: Authenticators;

  constructor(authenticators: Authenticators) {
    this.#authenticators = authenticators;
  }

  /** Counts what the credentials of one request came to. */
  countDecision({ kind, scheme, leg, user, reason, isStale }: Decision): void {
    if (reason === 'no-credentials') {
      this.#challenges += 1;
      return;
    }
    if (leg === 'first') {
      this.#handshakes += 1;
    }
    if (leg === 'final' && scheme !== 'Basic' && scheme !== 'Digest') {
      increment(this.#finalLegs, user ?? '');
    }
    if (kind === 'refuse') {
      this.#refused += 1;
      // A nonce that was too old says nothing of the password.
      if (!isStale) {
        increment(this.#refusals, user ?? '');
      }
    }
  }

  /** Writes one line of the log, at the moment the answer is known. */
  write(
    { at, request, decision }: Exchange,
    answer: { readonly status: number | null; readonly reason?: RefusalReason },
  ): void {
    const { head, body } = request;
    this.log.push({
      ...at,
      method: head.method,
      target: head.target,
      headers: head.headers.fields.map(([name, value]) => [name, redactHeader(name, value)]),
      get bodyBytes() {
        return body.bytes;
      },
      scheme: decision.scheme,
      leg: decision.leg,
      user: decision.user,
      reason: answer.reason ?? decision.reason,
      status: answer.status,
    });
  }

  counts(): ProxyCounts {
    return {
      connections: this.connections,
      requests: this.requests,
      challenges: this.#challenges,
      handshakes: this.#handshakes,
      finalLegs: Object.fromEntries(this.#finalLegs),
      refusals: Object.fromEntries(this.#refusals),
      refused: this.#refused,
      tunnels: this.tunnels,
      forwarded: this.forwarded,
      authenticatorWaits: this.#authenticators.waits,
      authenticatorsBusy: this.#authenticators.busy,
      longestReservationMs: this.#authenticators.longestMs,
    };
  }
}

function increment(counters: Map<string, number>, key: string): void {
  counters.set(key, (counters.get(key) ?? 0) + 1);
}
