// The clients of the soak: one for each proxy that lives as long as the run, and new ones on request. Owns their settings;
// all share one gate and one signal, as the clients of one program may.
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogonGate } from '../../src/auth/logons/logon-gate.ts';
import { SharedLogons } from '../../src/auth/logons/shared-logons.ts';
import { resolveSettings } from '../../src/upstream/settings.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import type { ProxyName } from './plan.ts';
import { ORIGIN_USER, PLAN, planOf } from './plan.ts';
import type { StagePlaces } from './stage-process.ts';

/** Longer than anything takes on this machine: a TIMEOUT is a defect then. */
const PATIENCE_MS = 20_000;

export class Clients implements AsyncDisposable {
  /** Given to every operation that gives nothing up. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #places: StagePlaces;
  readonly #folder: string;
  readonly #now: () => number;
  readonly #gate: LogonGate;
  readonly #shared = new Map<ProxyName, Upstream>();

  private constructor(places: StagePlaces, folder: string, now: () => number) {
    this.#places = places;
    this.#folder = folder;
    this.#now = now;
    this.#gate = new LogonGate({ shared: new SharedLogons(undefined, now), now });
    setMaxListeners(0, this.signal);
  }

  /**
   * @param folder for the authority and the configuration; the state folder is that of the environment
   * @param now what ages in the engine ages by it
   */
  static async open(places: StagePlaces, folder: string, now: () => number): Promise<Clients> {
    writeFileSync(join(folder, 'ca.pem'), places.ca);
    writeFileSync(join(folder, 'config.json'), '{}');
    const clients = new Clients(places, folder, now);
    for (const name of Object.keys(PLAN) as ProxyName[]) {
      clients.#shared.set(name, await clients.fresh(name));
    }
    return clients;
  }

  to(name: ProxyName): Upstream {
    const client = this.#shared.get(name);
    if (client === undefined) {
      throw new Error(`no client goes to ${name}`);
    }
    return client;
  }

  /** A client of its own; whoever asks for it closes it. */
  async fresh(name: ProxyName): Promise<Upstream> {
    const settings = await resolveSettings({
      ...planOf(name).client,
      proxy: this.#places.proxies[name],
      originUser: ORIGIN_USER.name,
      originPassword: ORIGIN_USER.password,
      trusted: [this.#places.http, this.#places.https].map((url) => new URL(url).host),
      ca: join(this.#folder, 'ca.pem'),
      config: join(this.#folder, 'config.json'),
      systemCa: false,
      env: {},
      connectTimeoutMs: PATIENCE_MS,
      handshakeTimeoutMs: PATIENCE_MS,
      idleTimeoutMs: PATIENCE_MS,
    });
    return new Upstream(settings, this.#gate, { now: this.#now });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#shared.values()].map((client) => client.close()));
  }
}
