// The events Sallyport publishes on `diagnostics_channel`, redacted at the source. Owns names and shapes;
// whoever wants text (`-v`) or counters subscribes.
import { channel } from 'node:diagnostics_channel';

/** Which of the two sign-ons of a request speaks: towards the proxy (407) or the origin (401). */
export type Layer = 'proxy' | 'origin';

/** One request that was sent and answered. */
export interface LegEvent {
  /** `host:port` at the other end of the connection. */
  readonly host: string;
  /** `CONNECT host:port`, or method and URL without query. */
  readonly request: string;
  /** The schemes whose credentials went with the request, towards each layer. */
  readonly sent: Readonly<Partial<Record<Layer, string>>>;
  readonly status: number;
  /** Scheme names of the challenges in the answer, as the server wrote them. */
  readonly offered: Readonly<Partial<Record<Layer, readonly string[]>>>;
  /** Sizes of the tokens of NTLM and Negotiate that went and came, in bytes; a size of Basic would tell of the password. */
  readonly tokenBytes: {
    readonly sent: Readonly<Partial<Record<Layer, number>>>;
    readonly received: Readonly<Partial<Record<Layer, number>>>;
  };
}

/** A scheme was chosen, set aside or refused, with the reason in words. */
export interface ChoiceEvent {
  readonly layer: Layer;
  readonly host: string;
  readonly chosen: string | null;
  readonly reason: string;
}

/** A connection was opened, taken from the pool, or put back into it. */
export interface ConnectionEvent {
  readonly action: 'opened' | 'reused' | 'pooled';
  readonly to: string;
}

/** A connection that was signed on ahead of demand, and what became of it. */
export interface ReadyEvent {
  /** `host:port` of the proxy. */
  readonly to: string;
  /**
   * - `made`: it is at hand
   * - `used`: a request took it
   * - `wasted`: it ended without one
   * - `off`: for some time none are made here
   */
  readonly action: 'made' | 'used' | 'wasted' | 'off';
  /** Why it ended or none are made, in words. */
  readonly reason: string | null;
}

/** A sign-on that was begun, and how it ended. */
export interface HandshakeEvent {
  readonly layer: Layer;
  /** `host:port` that asked for it. */
  readonly host: string;
  /** `Negotiate`, `NTLM`, `Digest` or `Basic`. */
  readonly scheme: string;
  /**
   * - `accepted`: the server let it pass
   * - `refused`: its last leg was answered with another challenge
   * - `undecided`: it broke off, or the scheme was set aside
   */
  readonly outcome: 'accepted' | 'refused' | 'undecided';
  /** Requests it took. */
  readonly legs: number;
  /** From its first token to its end, in milliseconds. */
  readonly durationMs: number;
}

/** A request of a client of the local proxy, once its answer begins. */
export interface RequestEvent {
  /**
   * - `tunnel`: CONNECT
   * - `forward`: in absolute-form
   * - `upgrade`: of the protocol, as WebSocket asks for it
   * - `page`: of the local proxy itself
   * - `refused`: the client may not use the port
   * - `invalid`: no request at all
   */
  readonly kind: 'tunnel' | 'forward' | 'upgrade' | 'page' | 'refused' | 'invalid';
  /** 20 characters at most. */
  readonly method: string;
  /** `host:port`, or an address without query and user name; 200 characters at most. */
  readonly target: string;
  /** `null` when the client went away before its answer. */
  readonly status: number | null;
  /** Where the local proxy itself answers for something that failed: an `ErrorCode`, or `null`. */
  readonly error: string | null;
  /** The same in words, with what to do; `null` where they would repeat what the client sent. */
  readonly why?: string | null;
  /** From the end of its head to the beginning of its answer, in milliseconds. */
  readonly durationMs: number;
}

/** `diagnostics_channel` names, public and stable. */
export const EVENT_NAMES = {
  leg: 'sallyport:leg',
  choice: 'sallyport:choice',
  connection: 'sallyport:connection',
  ready: 'sallyport:ready',
  handshake: 'sallyport:handshake',
  request: 'sallyport:request',
} as const;

const legs = channel(EVENT_NAMES.leg);
const choices = channel(EVENT_NAMES.choice);
const connections = channel(EVENT_NAMES.connection);
const readies = channel(EVENT_NAMES.ready);
const handshakes = channel(EVENT_NAMES.handshake);
const requests = channel(EVENT_NAMES.request);

/** @param describe is called only when somebody listens: every answer passes here */
export function publishLeg(describe: () => LegEvent): void {
  if (legs.hasSubscribers) {
    legs.publish(describe());
  }
}

export function publishChoice(event: ChoiceEvent): void {
  if (choices.hasSubscribers) {
    choices.publish(event);
  }
}

export function publishConnection(event: ConnectionEvent): void {
  if (connections.hasSubscribers) {
    connections.publish(event);
  }
}

export function publishReady(event: ReadyEvent): void {
  if (readies.hasSubscribers) {
    readies.publish(event);
  }
}

/** @param describe is called only when somebody listens */
export function publishHandshake(describe: () => HandshakeEvent): void {
  if (handshakes.hasSubscribers) {
    handshakes.publish(describe());
  }
}

/** Whether it is worth while to make one of these events. */
export function areRequestsHeard(): boolean {
  return requests.hasSubscribers;
}

export function publishRequest(event: RequestEvent): void {
  requests.publish(event);
}
