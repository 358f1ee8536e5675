// Linux: whose program is at the other end. Owns the choice between NETLINK_SOCK_DIAG and /proc/net/tcp, and which of their
// answers count.
import { readFileSync } from 'node:fs';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { LoopbackEnds, OwnerLookup, UserId } from './loopback-ends.ts';
import { turned } from './loopback-ends.ts';
import { findInProcNet } from './proc-net-tcp.ts';
import type { SocketOwner } from './sock-diag.ts';
import { SockDiag } from './sock-diag.ts';

/** ESTABLISHED, FIN_WAIT1, FIN_WAIT2 (net/tcp_states.h): it has connected, and not been closed by us. */
const LIVE_STATES: ReadonlySet<number> = new Set([1, 4, 5]);

export class LinuxOwners implements OwnerLookup {
  /** `undefined` before it is tried, `null` where there is none. */
  #diag: SockDiag | null | undefined;
  #isProven = false;
  readonly #strangers = strangersUid();

  async ask(connections: readonly LoopbackEnds[]): Promise<readonly (UserId | null)[]> {
    const owners = await this.#find(connections);
    return owners.map((owner) => this.#judge(owner));
  }

  [Symbol.dispose](): void {
    this.#diag?.[Symbol.dispose]();
    this.#diag = null;
  }

  #find(
    connections: readonly LoopbackEnds[],
  ): (SocketOwner | null)[] | Promise<(SocketOwner | null)[]> {
    this.#diag = this.#diag === undefined ? openDiag() : this.#diag;
    const [first] = connections;
    if (this.#diag === null || first === undefined) {
      return findInProcNet(connections);
    }
    // A kernel without the module says "no such socket" of all of them. Our own end of a connection must be there.
    this.#isProven ||= this.#diag.find([turned(first)])[0] != null;
    return this.#isProven ? this.#diag.find(connections) : findInProcNet(connections);
  }

  #judge(owner: SocketOwner | null): UserId | null {
    // A socket without a program (closed, and still sending) counts as root's in most kernels: inode 0 tells.
    const isHeld = owner !== null && owner.inode !== 0 && LIVE_STATES.has(owner.state);
    return isHeld && owner.uid !== this.#strangers ? String(owner.uid) : null;
  }
}

function openDiag(): SockDiag | null {
  try {
    return new SockDiag();
  } catch (error) {
    if (isSallyportError(error)) {
      return null;
    }
    throw error;
  }
}

/**
 * In a user namespace, all users it does not know are one: a uid that names nobody.
 *
 * @returns `null` where each uid is somebody
 */
function strangersUid(): number | null {
  try {
    const isWhole = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
    return isWhole ? null : Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
  } catch {
    return 65_534;
  }
}
