// What this side of the soak has seen, by proxy: from the published events, and from what the results told. Owns the
// counting, in numbers alone: a tally that grows would look like a leak.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ConnectionEvent, LegEvent } from '../../src/observe/events.ts';
import { EVENT_NAMES } from '../../src/observe/events.ts';
import type { ProxyName } from './plan.ts';

export interface Seen {
  /** By the events. */
  opened: number;
  answered: number;
  tunnels: number;
  forwarded: number;
  /** Answers to a token of NTLM or Negotiate that were no further 407. */
  accepted: number;
  /** By the results, of operations that had one. */
  toldLegs: number;
  toldConnections: number;
  /** Operations, and those of them that ended in an error or were given up. */
  begun: number;
  broken: number;
}

export class Tally implements Disposable {
  /** Challenges that came: a handshake cut before that is not among them. */
  handshakes = 0;
  readonly #seen = new Map<ProxyName, Seen>();
  readonly #nameAt = new Map<string, ProxyName>();
  readonly #onChallenge: () => void;

  /** @param onChallenge is called at each handshake */
  constructor(proxies: Readonly<Record<ProxyName, string>>, onChallenge: () => void) {
    this.#onChallenge = onChallenge;
    for (const [name, url] of Object.entries(proxies) as [ProxyName, string][]) {
      this.#nameAt.set(new URL(url).host, name);
      this.#seen.set(name, {
        ...{ opened: 0, answered: 0, tunnels: 0, forwarded: 0, accepted: 0 },
        ...{ toldLegs: 0, toldConnections: 0, begun: 0, broken: 0 },
      });
    }
    subscribe(EVENT_NAMES.leg, this.#onLeg);
    subscribe(EVENT_NAMES.connection, this.#onConnection);
  }

  [Symbol.dispose](): void {
    unsubscribe(EVENT_NAMES.leg, this.#onLeg);
    unsubscribe(EVENT_NAMES.connection, this.#onConnection);
  }

  of(name: ProxyName): Seen {
    const seen = this.#seen.get(name);
    if (seen === undefined) {
      throw new Error(`no proxy is called ${name}`);
    }
    return seen;
  }

  /** What a result says of the way it took. */
  told(name: ProxyName, { legs, connections }: { legs: number; connections: number }): void {
    const seen = this.of(name);
    seen.toldLegs += legs;
    seen.toldConnections += connections;
  }

  readonly #onLeg = (message: unknown): void => {
    const { host, request, sent, status, tokenBytes } = message as LegEvent;
    const name = this.#nameAt.get(host);
    if (name === undefined) {
      return;
    }
    const seen = this.of(name);
    const isConnect = request.startsWith('CONNECT ');
    seen.answered += 1;
    seen.tunnels += isConnect && status === 200 ? 1 : 0;
    seen.forwarded += isConnect || status === 407 ? 0 : 1;
    const isHandshake = ['NTLM', 'Negotiate'].includes(sent.proxy ?? '');
    seen.accepted += isHandshake && status !== 407 ? 1 : 0;
    if (status === 407 && tokenBytes.received.proxy !== undefined) {
      this.handshakes += 1;
      this.#onChallenge();
    }
  };

  readonly #onConnection = (message: unknown): void => {
    const { action, to } = message as ConnectionEvent;
    const name = this.#nameAt.get(to);
    if (name !== undefined && action === 'opened') {
      this.of(name).opened += 1;
    }
  };
}
