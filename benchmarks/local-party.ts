// The parties of the sections that load a local proxy: `sallyport run` before the lab's NTLM, its peers, and nothing in between.
// Owns their life: started when first wanted, ended with the section.
import { LAB } from '../test/lab/lab.ts';
import { Children } from './children.ts';
import { PeerGroup } from './peer-group.ts';
import { cpuTimeOf } from './process-usage.ts';
import type { RunProxy } from './run-proxy.ts';
import { startRunProxy } from './run-proxy.ts';

export interface LoadInput {
  readonly scratch: string;
  /** The built package, as a `file:` URL that ends in a slash. */
  readonly dist: URL;
}

const { proxies, users } = LAB;
/** By address: nobody's name lookup counts. */
const NTLM = `127.0.0.1:${proxies.ntlm.port}`;

/** Through which the load goes: its address, and its process where it has one here. */
export interface Way {
  readonly url: string;
  readonly pid?: number | undefined;
}

export class LocalParty implements AsyncDisposable {
  readonly children = new Children();
  readonly peers: PeerGroup;
  readonly #input: LoadInput;
  #run: Promise<RunProxy> | null = null;

  constructor(input: LoadInput) {
    this.#input = input;
    this.peers = new PeerGroup(NTLM, input.scratch);
  }

  /** Straight to a squid that wants no sign-on. */
  async direct(): Promise<Way> {
    return { url: `http://127.0.0.1:${proxies.open.port}` };
  }

  /** `sallyport run`, one for all samples. */
  run(): Promise<Way> {
    const { dist, scratch } = this.#input;
    this.#run ??= startRunProxy({
      ...{ proxy: `http://${NTLM}`, user: users.alice, dist, scratch, flags: [] },
    });
    return this.#run;
  }

  /** One that does nothing for a request, before the squid without sign-on. */
  plain(kind: 'raw' | 'http'): Promise<Way> {
    return this.children.plainForwarder(kind, proxies.open.port);
  }

  /** @throws Error when it is not on this machine */
  async cntlm(): Promise<Way> {
    const [cntlm] = this.peers.members;
    if (cntlm === undefined) {
      throw new Error('There is no peer');
    }
    return cntlm.start();
  }

  /** CPU seconds the process of a way has used; `null` where it has none here. */
  async cpuSeconds({ pid }: Way): Promise<number | null> {
    const ms = pid === undefined ? null : await cpuTimeOf(pid);
    return ms === null ? null : ms / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.children[Symbol.asyncDispose]();
    await (await this.#run)?.[Symbol.asyncDispose]();
    await this.peers[Symbol.asyncDispose]();
  }
}
