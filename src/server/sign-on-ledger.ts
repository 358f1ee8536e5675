// How the last sign-on at each server ended, for the status page. Owns that it stays short.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { HandshakeEvent } from '../observe/events.ts';
import { EVENT_NAMES } from '../observe/events.ts';

export interface LastSignOn extends Pick<HandshakeEvent, 'layer' | 'host' | 'scheme' | 'outcome'> {
  /** By the wall clock, in milliseconds. */
  readonly at: number;
}

/** Proxies are few; web servers that are trusted may be more. */
const MAX_HOSTS = 50;

export class SignOnLedger implements Disposable {
  readonly #last = new Map<string, LastSignOn>();

  /** Keeps them from now on. */
  constructor() {
    subscribe(EVENT_NAMES.handshake, this.#heard);
  }

  /** The latest first. */
  get entries(): readonly LastSignOn[] {
    return [...this.#last.values()].reverse();
  }

  [Symbol.dispose](): void {
    unsubscribe(EVENT_NAMES.handshake, this.#heard);
  }

  readonly #heard = (message: unknown): void => {
    const { layer, host, scheme, outcome } = message as HandshakeEvent;
    const key = `${layer} ${host}`;
    this.#last.delete(key);
    this.#last.set(key, { layer, host, scheme, outcome, at: Date.now() });
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_HOSTS && oldest !== undefined) {
      this.#last.delete(oldest);
    }
  };
}
