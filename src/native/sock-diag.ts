// Linux: whose a connection is, by NETLINK_SOCK_DIAG, one socket at a time: the kernel finds it by its four numbers, however many
// there are. Owns the layouts of linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
import { SallyportError } from '../errors/sallyport-error.ts';
import type { NativeFunction } from './ffi.ts';
import { C_LIBRARY, NativeMemory, openLibrary } from './ffi.ts';
import type { LoopbackEnds } from './loopback-ends.ts';

/** What the kernel says of one end. */
export interface SocketOwner {
  /** As in net/tcp_states.h. */
  readonly state: number;
  readonly uid: number;
  /** 0 when no program holds it any more; `uid` is then 0, too, and says nothing. */
  readonly inode: number;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const MSG_DONTWAIT = 0x40;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;

/** struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port. */
const HEADER_BYTES = 16;
/** struct inet_diag_req_v2: u8 family, u8 protocol, u8 extensions, u8, u32 states, sockid of 48. */
const REQUEST_BYTES = HEADER_BYTES + 56;
/** Answers wait in the socket's buffer of 208 KiB; one takes about 1 KiB there. */
const MAX_AT_ONCE = 64;
const ANSWER_BYTES = 4096;

export class SockDiag implements Disposable {
  readonly #send: NativeFunction;
  readonly #receive: NativeFunction;
  readonly #close: NativeFunction;
  readonly #descriptor: number;
  readonly #request = new NativeMemory(MAX_AT_ONCE * REQUEST_BYTES);
  readonly #answer = new NativeMemory(ANSWER_BYTES);
  #sequence = 0;

  /** @throws SallyportError SIGN_ON_UNAVAILABLE where there is no FFI, or no such socket is to be had */
  constructor() {
    const library = openLibrary(C_LIBRARY);
    const passing = ['i32', 'pointer', 'usize', 'i32'] as const;
    this.#send = library.require('send', 'i64', passing);
    this.#receive = library.require('recv', 'i64', passing);
    this.#close = library.require('close', 'i32', ['i32']);
    const open = library.require('socket', 'i32', ['i32', 'i32', 'i32']);
    this.#descriptor = Number(open.call(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG));
    if (this.#descriptor < 0) {
      this.#free();
      throw new SallyportError(
        'SIGN_ON_UNAVAILABLE',
        'The kernel gives no NETLINK_SOCK_DIAG socket',
      );
    }
  }

  /** The peers' ends. Answers are there when `send` returns: nothing waits. */
  find(connections: readonly LoopbackEnds[]): (SocketOwner | null)[] {
    const found: (SocketOwner | null)[] = [];
    for (let start = 0; start < connections.length; start += MAX_AT_ONCE) {
      found.push(...this.#findSome(connections.slice(start, start + MAX_AT_ONCE)));
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.#close.call(this.#descriptor);
    this.#free();
  }

  #findSome(connections: readonly LoopbackEnds[]): (SocketOwner | null)[] {
    const first = this.#sequence;
    for (const [index, ends] of connections.entries()) {
      const start = index * REQUEST_BYTES;
      const request = this.#request.bytes.subarray(start, start + REQUEST_BYTES);
      writeRequest(request, ends, (first + index) >>> 0);
    }
    this.#sequence = (first + connections.length) >>> 0;
    const found: (SocketOwner | null)[] = connections.map(() => null);
    const length = BigInt(connections.length * REQUEST_BYTES);
    this.#send.call(this.#descriptor, this.#request.address, length, MSG_DONTWAIT);
    for (const _answer of connections) {
      const answer = this.#receiveOne();
      if (answer === null) {
        break;
      }
      const index = (answer.sequence - first) >>> 0;
      if (index < found.length) {
        found[index] = answer.owner;
      }
    }
    return found;
  }

  /** Only the kernel can have sent it: programs may not write to a socket of this kind. */
  #receiveOne(): { readonly sequence: number; readonly owner: SocketOwner | null } | null {
    const { address, bytes } = this.#answer;
    const length = Number(
      this.#receive.call(this.#descriptor, address, BigInt(ANSWER_BYTES), MSG_DONTWAIT),
    );
    if (length < HEADER_BYTES) {
      return null;
    }
    const sequence = bytes.readUInt32LE(8);
    const isFound = bytes.readUInt16LE(4) === SOCK_DIAG_BY_FAMILY && length >= HEADER_BYTES + 72;
    // struct inet_diag_msg: u8 family, u8 state, u8, u8, sockid of 48, u32 expires, u32, u32, u32 uid, u32 inode.
    const owner = {
      state: bytes.readUInt8(HEADER_BYTES + 1),
      uid: bytes.readUInt32LE(HEADER_BYTES + 64),
      inode: bytes.readUInt32LE(HEADER_BYTES + 68),
    };
    return { sequence, owner: isFound ? owner : null };
  }

  #free(): void {
    this.#request.free();
    this.#answer.free();
  }
}

function writeRequest(bytes: Buffer, ends: LoopbackEnds, sequence: number): void {
  bytes.fill(0);
  bytes.writeUInt32LE(REQUEST_BYTES, 0);
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  bytes.writeUInt16LE(NLM_F_REQUEST, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.writeUInt8(ends.peerAddress.length === 4 ? AF_INET : AF_INET6, 16);
  bytes.writeUInt8(IPPROTO_TCP, 17);
  bytes.writeUInt32LE(0xffff_ffff, 20);
  // struct inet_diag_sockid: be16 sport, be16 dport, 16 bytes src, 16 bytes dst, u32 interface, u32 cookie[2]; all ones is no cookie.
  bytes.writeUInt16BE(ends.peerPort, 24);
  bytes.writeUInt16BE(ends.ownPort, 26);
  bytes.set(ends.peerAddress, 28);
  bytes.set(ends.ownAddress, 44);
  bytes.fill(0xff, 64, 72);
}
