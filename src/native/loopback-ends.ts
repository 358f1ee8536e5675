// A connection on loopback by its two ends, and the contract of whoever knows whose program holds the other one. Asks nobody.

/** A connection that was accepted on loopback; addresses are 4 or 16 bytes in network order. */
export interface LoopbackEnds {
  readonly peerAddress: Buffer;
  readonly peerPort: number;
  readonly ownAddress: Buffer;
  readonly ownPort: number;
}

/** A uid in decimal digits; on Windows a SID as text. */
export type UserId = string;

export interface OwnerLookup extends Disposable {
  /**
   * One question for all of them.
   *
   * @returns in the same order; `null` where the system does not tell, or the peer has closed its end
   */
  ask(connections: readonly LoopbackEnds[]): Promise<readonly (UserId | null)[]>;
}

/** What of a socket is looked at. */
export interface SocketEnds {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** @returns `null` when an end is not on loopback, or the socket is closed already */
export function loopbackEnds(socket: SocketEnds): LoopbackEnds | null {
  const peerAddress = loopbackBytes(socket.remoteAddress);
  const ownAddress = loopbackBytes(socket.localAddress);
  if (peerAddress === null || ownAddress === null || peerAddress.length !== ownAddress.length) {
    return null;
  }
  return {
    peerAddress,
    ownAddress,
    peerPort: socket.remotePort ?? 0,
    ownPort: socket.localPort ?? 0,
  };
}

/** `127.0.0.0/8`, as IPv4 or mapped into IPv6, and `::1`. */
function loopbackBytes(address: string | undefined): Buffer | null {
  if (address === '::1') {
    return Buffer.from('00000000000000000000000000000001', 'hex');
  }
  const [, digits = ''] = /^(?:::ffff:)?(127\.\d+\.\d+\.\d+)$/i.exec(address ?? '') ?? [];
  return digits === '' ? null : Buffer.from(digits.split('.').map(Number));
}

/** The same text for the same connection. */
export function endsKey(ends: LoopbackEnds): string {
  const { peerAddress, peerPort, ownAddress, ownPort } = ends;
  return `${peerAddress.toString('hex')}:${peerPort} ${ownAddress.toString('hex')}:${ownPort}`;
}

/** The same connection, seen from the other end. */
export function turned({ peerAddress, peerPort, ownAddress, ownPort }: LoopbackEnds): LoopbackEnds {
  return {
    peerAddress: ownAddress,
    peerPort: ownPort,
    ownAddress: peerAddress,
    ownPort: peerPort,
  };
}
