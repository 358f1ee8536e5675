// The peers in front of one proxy of the lab: each is started when its row is first measured, and ends with its section.
import { LAB } from '../test/lab/lab.ts';
import type { LocalProxy } from './local-proxy.ts';
import { startLocalProxy } from './local-proxy.ts';
import type { Peer } from './peers.ts';
import { findPeer, PEERS } from './peers.ts';

export interface GroupMember {
  readonly name: string;
  /** @throws Error when it is not on this machine, or does not start: then its row is skipped */
  start(): Promise<LocalProxy>;
}

export class PeerGroup implements AsyncDisposable {
  readonly members: readonly GroupMember[];
  readonly #started: LocalProxy[] = [];

  /**
   * @param proxy `host:port` they sign on to, as alice
   * @param folder for their configuration
   */
  constructor(proxy: string, folder: string) {
    this.members = PEERS.map((peer) => {
      let running: LocalProxy | undefined;
      const start = async (): Promise<LocalProxy> => {
        running ??= await this.#start(peer, proxy, folder);
        return running;
      };
      return { name: peer.name, start };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#started) {
      await one[Symbol.asyncDispose]();
    }
  }

  async #start(peer: Peer, proxy: string, folder: string): Promise<LocalProxy> {
    const program = await findPeer(peer);
    const user = LAB.users.alice;
    const started = await startLocalProxy((port) =>
      peer.command(program, { folder, proxy, user, port }),
    );
    this.#started.push(started);
    return started;
  }
}
