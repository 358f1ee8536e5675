// The upstream of a server whose settings may change: requests go by the newest, and what is under way ends by the one it began
// with. Owns the change.
import type { UpstreamDoor } from '../server/upstream-door.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import { Upstream } from '../upstream/upstream.ts';

export class ServeUpstream implements UpstreamDoor, AsyncDisposable {
  #settings: UpstreamSettings;
  #current: Upstream;

  constructor(settings: UpstreamSettings, warm: number) {
    this.#settings = settings;
    this.#current = new Upstream(settings, undefined, { warm });
  }

  get settings(): UpstreamSettings {
    return this.#settings;
  }

  /** Idle connections of before are ended; the memory of refused passwords is the process's, and stays. */
  async replace(settings: UpstreamSettings, warm: number): Promise<void> {
    const before = this.#current;
    this.#settings = settings;
    this.#current = new Upstream(settings, undefined, { warm });
    await before.close();
  }

  openTunnel(...call: Parameters<Upstream['openTunnel']>): ReturnType<Upstream['openTunnel']> {
    return this.#current.openTunnel(...call);
  }

  relay(...call: Parameters<Upstream['relay']>): ReturnType<Upstream['relay']> {
    return this.#current.relay(...call);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#current.close();
  }
}
